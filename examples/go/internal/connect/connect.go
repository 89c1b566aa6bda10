// Package connect is how all examples begin, and how they fail.
package connect

import (
	"context"
	"log"
	"os"
	"strings"
	"time"

	pando "pando.test/client"
)

// ToEnsemble opens a session on the servers of PANDO_ENDPOINTS, or ends the program. Ephemeral
// nodes of a program that was killed go after two seconds.
func ToEnsemble() *pando.Session {
	session, err := pando.Connect(context.Background(), pando.Options{
		Endpoints:      strings.Split(os.Getenv("PANDO_ENDPOINTS"), ","),
		SessionTimeout: 2 * time.Second,
	})
	if err != nil {
		log.Fatal(err)
	}
	return session
}

// Check ends the program if there is an error; its session then ends by itself.
func Check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

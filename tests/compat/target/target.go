// Package target says which servers a suite asks: those of COMPAT_ADDRESSES, HOST:PORT,…
package target

import (
	"os"
	"strings"
	"testing"
)

// Addresses fails the test if there are none.
func Addresses(t *testing.T) []string {
	t.Helper()
	list := os.Getenv("COMPAT_ADDRESSES")
	if list == "" {
		t.Fatal("COMPAT_ADDRESSES names no server")
	}
	return strings.Split(list, ",")
}

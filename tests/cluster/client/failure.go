package client

import (
	"fmt"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pandov1 "pando.test/cluster/gen/pando/v1"
)

// Failure is what an error says.
type Failure struct {
	Code codes.Code
	// "": no word of the server; the connection broke, or the deadline passed here.
	Reason   string
	Metadata map[string]string
	Message  string
}

// Failed reads a call's error.
func Failed(err error) Failure {
	s := status.Convert(err)
	failure := Failure{Code: s.Code(), Message: s.Message()}
	for _, detail := range s.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.Domain == "pando" {
			failure.Reason, failure.Metadata = info.Reason, info.Metadata
		}
	}
	return failure
}

// FailedOperation reads the error of one operation of a Pipeline.
func FailedOperation(e *pandov1.OperationError) Failure {
	reason := e.Reason.String()
	const prefix = "REASON_"
	if len(reason) > len(prefix) && reason[:len(prefix)] == prefix {
		reason = reason[len(prefix):]
	}
	return Failure{codes.Code(e.Code), reason, e.Metadata, e.Message}
}

// MaybeApplied: a write may have taken effect, or still may.
func (f Failure) MaybeApplied() bool {
	return f.Reason == "" || f.Metadata["maybe_applied"] == "true"
}

// Decided: the command was run, and failed by what it found in the tree.
func (f Failure) Decided() bool {
	switch f.Reason {
	case "NO_NODE", "NODE_EXISTS", "BAD_VERSION":
		return true
	}
	return false
}

// Hopeless: no server will ever answer the same request in another way.
func (f Failure) Hopeless() bool {
	switch f.Reason {
	case "", "NO_LEADER", "BEHIND", "OVERLOADED", "TIMEOUT", "NO_SPACE", "SESSION_MOVED":
		return false
	}
	return !f.Decided()
}

func (f Failure) String() string {
	return fmt.Sprintf("%v %s %v: %s", f.Code, f.Reason, f.Metadata, f.Message)
}

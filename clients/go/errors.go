package pando

import (
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pandov1 "pando.test/client/gen/pando/v1"
)

// Reason is why a call failed, by the names of common.proto: errors.Is(err, pando.NoNode).
type Reason string

// The common ones. NoServer and Closed are this package's own.
const (
	NoNode           Reason = "NO_NODE"
	NodeExists       Reason = "NODE_EXISTS"
	NoParent         Reason = "NO_PARENT"
	NotEmpty         Reason = "NOT_EMPTY"
	BadVersion       Reason = "BAD_VERSION"
	InvalidPath      Reason = "INVALID_PATH"
	InvalidArgument  Reason = "INVALID_ARGUMENT"
	InvalidACL       Reason = "INVALID_ACL"
	TooLarge         Reason = "TOO_LARGE"
	SessionExpired   Reason = "SESSION_EXPIRED" // the session is lost
	SessionMoved     Reason = "SESSION_MOVED"
	PermissionDenied Reason = "PERMISSION_DENIED"
	Unauthenticated  Reason = "UNAUTHENTICATED"
	QuotaExceeded    Reason = "QUOTA_EXCEEDED"
	NoSpace          Reason = "NO_SPACE"
	NoLeader         Reason = "NO_LEADER"
	Behind           Reason = "BEHIND"
	Compacted        Reason = "COMPACTED"
	Overloaded       Reason = "OVERLOADED"
	Timeout          Reason = "TIMEOUT" // MaybeApplied says what it means for a write
	WrongCluster     Reason = "WRONG_CLUSTER"
	NoServer         Reason = "NO_SERVER" // no server answers
	Closed           Reason = "CLOSED"    // the session was closed here
)

// Error makes a Reason a target for errors.Is.
func (r Reason) Error() string { return string(r) }

// Error is what every call fails with.
type Error struct {
	Reason   Reason
	Code     codes.Code
	Message  string
	Metadata map[string]string
}

func (e *Error) Error() string { return fmt.Sprintf("%s (%s)", e.Message, e.Reason) }

// Is matches a Reason.
func (e *Error) Is(target error) bool {
	reason, ok := target.(Reason)
	return ok && reason == e.Reason
}

// MaybeApplied: the write may have taken effect, or still may.
func (e *Error) MaybeApplied() bool { return e.Metadata["maybe_applied"] == "true" }

// Retriable: the same request may succeed later or elsewhere.
func (e *Error) Retriable() bool { return e.Metadata["retriable"] == "true" }

// Path is the node that the trouble is with.
func (e *Error) Path() string { return e.Metadata["path"] }

// OldestRevision of a Compacted error can still be watched from.
func (e *Error) OldestRevision() int64 {
	revision, _ := strconv.ParseInt(e.Metadata["oldest_revision"], 10, 64)
	return revision
}

func failure(reason Reason, code codes.Code, format string, arguments ...any) *Error {
	return &Error{Reason: reason, Code: code, Message: fmt.Sprintf(format, arguments...)}
}

func noServer(format string, arguments ...any) *Error {
	return failure(NoServer, codes.Unavailable, format, arguments...)
}

// operationFailure is the failure of one operation of a Pipeline.
func operationFailure(e *pandov1.OperationError) *Error {
	reason := strings.TrimPrefix(e.Reason.String(), "REASON_")
	return &Error{Reason(reason), codes.Code(e.Code), e.Message, e.Metadata}
}

// callFailure is the failure of a call: the server's words, or that there are none.
func callFailure(err error) *Error {
	var own *Error
	if errors.As(err, &own) {
		return own
	}
	s := status.Convert(err)
	for _, detail := range s.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.Domain == "pando" {
			return &Error{Reason(info.Reason), s.Code(), s.Message(), info.Metadata}
		}
	}
	switch s.Code() {
	case codes.Unimplemented:
		return failure("UNIMPLEMENTED", s.Code(), "%s", s.Message())
	case codes.InvalidArgument:
		return failure(InvalidArgument, s.Code(), "%s", s.Message())
	}
	return noServer("%s", s.Message())
}

// of an operation that was not answered.
func (e *Error) of(o *operation) *Error {
	end := *e
	if o.isWrite && o.sent {
		end.Metadata = maps.Clone(e.Metadata)
		if end.Metadata == nil {
			end.Metadata = map[string]string{}
		}
		end.Metadata["maybe_applied"] = "true"
	}
	return &end
}

// isFinal: no other server would say anything else.
func (e *Error) isFinal() bool {
	switch e.Reason {
	case NoServer, WrongCluster, SessionMoved, "UNIMPLEMENTED":
		return false
	}
	return !e.Retriable()
}

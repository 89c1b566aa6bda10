package history

import (
	"math"
	"time"
)

// Time is how long after the start of its run something happened, by the monotonic clock.
type Time = time.Duration

// Never is the return time of a call that was not answered: it may take effect at any time after
// its call.
const Never Time = math.MaxInt64

// Clock is the one clock of a run.
type Clock struct {
	start time.Time
}

func NewClock() Clock { return Clock{start: time.Now()} }

func (c Clock) Now() Time { return time.Since(c.start) }

package check

import "pando.test/cluster/history"

// Reads holds each single read of a register against the changes up to its revision. It is what
// LOCAL reads promise; linearizable ones promise it too.
func Reads(h *history.History) []Violation {
	var v violations
	c, progress := changesOf(h)
	for _, o := range h.Operations {
		if !o.Known() || o.Transaction || !o.ReadOnly() || o.Reason != "" || o.Revision > progress {
			continue
		}
		if o.Revision < o.MinRevision {
			v.add(LocalRead, "%v is of %d, and asked for %d", o, o.Revision, o.MinRevision)
		}
		is := c.at(history.RegisterPath(o.Group, o.Then[0].Register), o.Revision)
		if is != o.Results[0] {
			v.add(LocalRead, "%v, and the changes up to then say %+v", o, is)
		}
	}
	return v.found
}

// Package shrink makes a program small that shows a difference: delta debugging, by bursts, then
// by requests, then by the parts of a multi.
package shrink

import "pando.test/compat/program"

const runsMax = 600

// Shrink is the smallest program found that is still `bad`. Each call of bad plays a program.
func Shrink(p program.Program, bad func(program.Program) bool) program.Program {
	runs := 0
	limited := func(candidate program.Program) bool {
		runs++
		return runs <= runsMax && bad(candidate)
	}
	for size := p.Size() + 1; p.Size() < size; {
		size = p.Size()
		p = byUnit(p, burstUnits, limited)
		p = byUnit(p, opUnits, limited)
		p = byUnit(p, partUnits, limited)
	}
	return p
}

// units counts what can be left out of a program, and makes the program without some of it.
type units func(p program.Program, keep func(unit int) bool) (program.Program, int)

func byUnit(p program.Program, of units, bad func(program.Program) bool) program.Program {
	_, count := of(p, func(int) bool { return true })
	for chunk := max(1, count/2); chunk >= 1; chunk /= 2 {
		for from := 0; from < count; {
			without, _ := of(p, func(unit int) bool { return unit < from || unit >= from+chunk })
			if bad(without) {
				p = without
				_, count = of(p, func(int) bool { return true })
			} else {
				from += chunk
			}
		}
	}
	return p
}

func burstUnits(p program.Program, keep func(int) bool) (program.Program, int) {
	kept := program.Program{Seed: p.Seed}
	for unit, burst := range p.Bursts {
		if keep(unit) {
			kept.Bursts = append(kept.Bursts, burst)
		}
	}
	return kept, len(p.Bursts)
}

func opUnits(p program.Program, keep func(int) bool) (program.Program, int) {
	kept, unit := program.Program{Seed: p.Seed}, 0
	for _, burst := range p.Bursts {
		some := program.Burst{Client: burst.Client}
		for _, op := range burst.Ops {
			if keep(unit) {
				some.Ops = append(some.Ops, op)
			}
			unit++
		}
		if len(some.Ops) > 0 {
			kept.Bursts = append(kept.Bursts, some)
		}
	}
	return kept, unit
}

func partUnits(p program.Program, keep func(int) bool) (program.Program, int) {
	kept, unit := program.Program{Seed: p.Seed}, 0
	for _, burst := range p.Bursts {
		some := program.Burst{Client: burst.Client}
		for _, op := range burst.Ops {
			parts := op.Ops
			op.Ops = nil
			for _, part := range parts {
				if keep(unit) {
					op.Ops = append(op.Ops, part)
				}
				unit++
			}
			some.Ops = append(some.Ops, op)
		}
		kept.Bursts = append(kept.Bursts, some)
	}
	return kept, unit
}

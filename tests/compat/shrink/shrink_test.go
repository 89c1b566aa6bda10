package shrink

import (
	"testing"

	"pando.test/compat/program"
)

// The culprits: a certain delete, and a later multi that sets data.
func isBad(p program.Program) bool {
	deleted := false
	for _, burst := range p.Bursts {
		for _, op := range burst.Ops {
			deleted = deleted || op.Kind == "delete" && op.Version == -1
			for _, part := range op.Ops {
				if deleted && op.Kind == "multi" && part.Kind == "set" {
					return true
				}
			}
		}
	}
	return false
}

func TestOnlyTheCulpritsAreLeft(t *testing.T) {
	seed := uint64(1)
	for ; !isBad(program.Random(seed)); seed++ {
	}
	small := Shrink(program.Random(seed), isBad)
	if !isBad(small) || small.Size() != 3 {
		t.Fatalf("seed %d: %d ops are left: %+v", seed, small.Size(), small)
	}
}

func TestAProgramThatIsNotBadStaysAsItIs(t *testing.T) {
	p := program.Random(1)
	if small := Shrink(p, func(program.Program) bool { return false }); small.Size() != p.Size() {
		t.Fatalf("%d of %d ops are left", small.Size(), p.Size())
	}
}

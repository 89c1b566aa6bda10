package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"pando.test/compat/compare"
	"pando.test/compat/play"
	"pando.test/compat/program"
	"pando.test/compat/shrink"
)

// reportEvery so many programs, a line.
const reportEvery = 200

type fuzzer struct {
	zookeeper, pando play.Target
	explained        []compare.Explained
	ops              int64
	workers          int
	findingsMax      int
	out              string

	played, programs atomic.Int64
	outcomes         tally

	lock  sync.Mutex
	found map[string]bool // kinds of difference
	err   error           // a server is out of order
}

// run plays the programs from `seed` on until there were enough ops, or findings.
func (f *fuzzer) run(seed uint64) error {
	f.found = map[string]bool{}
	var next atomic.Uint64
	next.Store(seed)
	var group sync.WaitGroup
	for range f.workers {
		group.Add(1)
		go func() {
			defer group.Done()
			for f.goesOn() {
				f.one(program.Random(next.Add(1) - 1))
			}
		}()
	}
	group.Wait()
	return f.err
}

func (f *fuzzer) goesOn() bool {
	f.lock.Lock()
	defer f.lock.Unlock()
	return f.err == nil && f.played.Load() < f.ops && len(f.found) < f.findingsMax
}

func (f *fuzzer) one(p program.Program) {
	difference, zookeeper, _ := f.difference(p)
	f.outcomes.add(zookeeper)
	f.played.Add(int64(p.Size()))
	if n := f.programs.Add(1); n%reportEvery == 0 {
		fmt.Printf("%d programs, %d ops\n", n, f.played.Load())
	}
	if difference == nil || !f.isNew(difference.Kind()) {
		return
	}
	fmt.Printf("seed %d: %s\n", p.Seed, difference)
	kind := difference.Kind()
	small := shrink.Shrink(p, func(candidate program.Program) bool {
		other, _, _ := f.difference(candidate)
		return other != nil && other.Kind() == kind
	})
	f.show(small, kind)
}

func (f *fuzzer) isNew(kind string) bool {
	f.lock.Lock()
	defer f.lock.Unlock()
	known := f.found[kind]
	f.found[kind] = true
	return !known
}

// difference plays the program on both at once.
func (f *fuzzer) difference(p program.Program) (
	difference *compare.Difference, zookeeper, pando play.Transcript) {
	root := play.Root()
	var zookeeperErr, pandoErr error
	var group sync.WaitGroup
	group.Add(1)
	go func() {
		defer group.Done()
		zookeeper, zookeeperErr = play.Play(f.zookeeper, root, p)
	}()
	pando, pandoErr = play.Play(f.pando, root, p)
	group.Wait()
	for _, err := range []error{zookeeperErr, pandoErr} {
		if err != nil {
			f.lock.Lock()
			f.err = err
			f.lock.Unlock()
			return nil, nil, nil
		}
	}
	return compare.First(zookeeper, pando, f.explained), zookeeper, pando
}

// show prints a shrunk program as both played it, and keeps it as a file for -replay.
func (f *fuzzer) show(p program.Program, kind string) {
	difference, zookeeper, pando := f.difference(p)
	f.lock.Lock()
	defer f.lock.Unlock()
	file := filepath.Join(f.out, fmt.Sprintf("seed-%d-%d.json", p.Seed, len(f.found)))
	if difference == nil {
		fmt.Printf("seed %d: %s: the shrunk program does not always differ\n", p.Seed, kind)
	}
	bytes, err := json.MarshalIndent(p, "", " ")
	if err == nil {
		err = os.WriteFile(file, append(bytes, '\n'), 0o644)
	}
	fmt.Printf("seed %d: shrunk to %d ops, kept in %s %v\n", p.Seed, p.Size(), file, errText(err))
	printBoth(zookeeper, pando)
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func printBoth(zookeeper, pando play.Transcript) {
	for i := range max(len(zookeeper), len(pando)) {
		switch {
		case i < len(zookeeper) && i < len(pando) && zookeeper[i].String() == pando[i].String():
			fmt.Println("  both     ", zookeeper[i])
			continue
		case i < len(zookeeper):
			fmt.Println("  zookeeper", zookeeper[i])
		}
		if i < len(pando) {
			fmt.Println("  pando    ", pando[i])
		}
	}
}

func (f *fuzzer) replay(file string) error {
	bytes, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var p program.Program
	if err := json.Unmarshal(bytes, &p); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	difference, zookeeper, pando := f.difference(p)
	if f.err != nil {
		return f.err
	}
	printBoth(zookeeper, pando)
	if difference != nil {
		return fmt.Errorf("they differ: %s", difference)
	}
	return nil
}

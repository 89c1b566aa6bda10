package main

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"

	"pando.test/compat/compare"
	"pando.test/compat/play"
	"pando.test/compat/program"
)

// A recording is what ZooKeeper said to the programs of some seeds, so that Pando can be compared
// where there is no ZooKeeper.
type recording []recorded

type recorded struct {
	Seed       uint64          `json:"seed"`
	Transcript play.Transcript `json:"transcript"`
}

// record plays the programs from `seed` on on ZooKeeper alone.
func (f *fuzzer) record(file string, seed uint64) error {
	var all recording
	for ; f.played.Load() < f.ops; seed++ {
		p := program.Random(seed)
		transcript, err := play.Play(f.zookeeper, play.Root(), p)
		if err != nil {
			return err
		}
		all = append(all, recorded{seed, transcript})
		f.programs.Add(1)
		f.played.Add(int64(p.Size()))
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	defer out.Close()
	compressed, err := gzip.NewWriterLevel(out, gzip.BestCompression)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(compressed).Encode(all); err != nil {
		return err
	}
	return compressed.Close()
}

// compareWithRecording plays what was recorded on Pando alone.
func (f *fuzzer) compareWithRecording(file string) error {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close()
	compressed, err := gzip.NewReader(in)
	if err != nil {
		return err
	}
	var all recording
	if err := json.NewDecoder(compressed).Decode(&all); err != nil {
		return err
	}
	f.found = map[string]bool{}
	for _, one := range all {
		p := program.Random(one.Seed)
		transcript, err := play.Play(f.pando, play.Root(), p)
		if err != nil {
			return err
		}
		f.programs.Add(1)
		f.played.Add(int64(p.Size()))
		if d := compare.First(one.Transcript, transcript, f.explained); d != nil {
			f.found[d.Kind()] = true
			fmt.Printf("seed %d: %s\n", one.Seed, d)
		}
	}
	return nil
}

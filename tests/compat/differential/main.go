// differential plays random programs on ZooKeeper and on Pando, and shows where the two differ.
// ../README.md tells how to run it.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"pando.test/compat/compare"
	"pando.test/compat/liar"
	"pando.test/compat/play"
)

func main() {
	var (
		zookeeper = flag.String("zookeeper", "", "HOST:PORT,… of the reference")
		pando     = flag.String("pando", "", "HOST:PORT,… of the server under test")
		seed      = flag.Uint64("seed", 1, "of the first program; the next ones follow")
		ops       = flag.Int64("ops", 100_000, "how many requests to play, at least")
		workers   = flag.Int("workers", 4, "programs that are played at once")
		findings  = flag.Int("findings", 10, "stop after so many kinds of difference")
		explained = flag.String("explained", "", "FILE of differences that are meant")
		out       = flag.String("out", ".", "FOLDER for the shrunk programs that differ")
		replay    = flag.String("replay", "", "FILE with one program: play this one, and show all of it")
		record    = flag.String("record", "", "FILE for what -zookeeper says, to compare with later")
		recording = flag.String("recording", "", "FILE of that kind, instead of -zookeeper")
		outcomes  = flag.Bool("outcomes", false, "say how often each request had each outcome")
		doctored  = flag.Bool("doctored", false, "a proxy alters replies of -pando: must be found")
	)
	flag.Parse()
	f := fuzzer{ops: *ops, workers: *workers, findingsMax: *findings, out: *out,
		zookeeper: target("zookeeper", *zookeeper, *recording != ""),
		pando:     target("pando", *pando, *record != "")}
	if *explained != "" {
		var err error
		f.explained, err = compare.Read(*explained)
		exitOn(err)
	}
	if *doctored {
		for i, address := range f.pando.Addresses {
			lying, err := liar.Start(address)
			exitOn(err)
			f.pando.Addresses[i] = lying
		}
	}
	started := time.Now()
	switch {
	case *replay != "":
		exitOn(f.replay(*replay))
		return
	case *record != "":
		exitOn(f.record(*record, *seed))
	case *recording != "":
		exitOn(f.compareWithRecording(*recording))
	default:
		exitOn(f.run(*seed))
	}
	fmt.Printf("%d ops of %d programs in %.0f s: %d kinds of difference\n",
		f.played.Load(), f.programs.Load(), time.Since(started).Seconds(), len(f.found))
	if *outcomes {
		f.outcomes.print(os.Stdout)
	}
	if len(f.found) > 0 {
		os.Exit(1)
	}
}

func target(name, addresses string, optional bool) play.Target {
	if addresses == "" && !optional {
		exitOn(fmt.Errorf("-%s is missing", name))
	}
	return play.Target{Name: name, Addresses: strings.Split(addresses, ",")}
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "differential:", err)
		os.Exit(2)
	}
}

// Package compare finds where two transcripts of one program differ without a known reason.
package compare

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"pando.test/compat/play"
)

// Explained is a difference that is meant. Each is a line of the table in docs/zookeeper.md. All
// but the reason are regular expressions; in Pando's, ${1} is what ZooKeeper's first group matched.
type Explained struct {
	What      string `json:"what"` // the request
	ZooKeeper string `json:"zookeeper"`
	Pando     string `json:"pando"`
	Reason    string `json:"reason"`

	what, zookeeper *regexp.Regexp
}

// Read reads the file of explained differences.
func Read(file string) ([]Explained, error) {
	bytes, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var all []Explained
	if err := json.Unmarshal(bytes, &all); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	for i := range all {
		if all[i].Reason == "" {
			return nil, fmt.Errorf("%s: entry %d has no reason", file, i)
		}
		for _, part := range []struct {
			text string
			to   **regexp.Regexp
		}{
			{all[i].What, &all[i].what},
			{all[i].ZooKeeper, &all[i].zookeeper},
		} {
			if *part.to, err = whole(part.text); err != nil {
				return nil, fmt.Errorf("%s: entry %d: %w", file, i, err)
			}
		}
	}
	return all, nil
}

func whole(pattern string) (*regexp.Regexp, error) {
	return regexp.Compile("^(?:" + pattern + ")$")
}

func (e Explained) explains(z, p play.Line) bool {
	groups := e.zookeeper.FindStringSubmatchIndex(z.Outcome)
	if groups == nil || !e.what.MatchString(z.What) {
		return false
	}
	pando, err := whole(string(e.zookeeper.ExpandString(nil, e.Pando, z.Outcome, groups)))
	return err == nil && pando.MatchString(p.Outcome)
}

// Difference is the first unexplained one of a program.
type Difference struct {
	Burst            int
	What             string
	ZooKeeper, Pando string
}

func (d Difference) String() string {
	return fmt.Sprintf("burst %d: %s\n  zookeeper: %s\n  pando:     %s", d.Burst, d.What, d.ZooKeeper,
		d.Pando)
}

// Kind is what differences have in common that probably have one cause.
func (d Difference) Kind() string {
	return strings.Join([]string{Gist(d.What), Gist(d.ZooKeeper), Gist(d.Pando)}, " | ")
}

var details = regexp.MustCompile(`["{[].*| \S+=.*| null.*|zxid.*`)

// Gist is a request, or an outcome, without its paths, stats and other details.
func Gist(s string) string { return strings.TrimSpace(details.ReplaceAllString(s, "")) }

// First is the first difference that nothing explains; nil if there is none.
func First(zookeeper, pando play.Transcript, explained []Explained) *Difference {
	for i := range max(len(zookeeper), len(pando)) {
		z, p := at(zookeeper, i), at(pando, i)
		if z.What == p.What && z.Outcome == p.Outcome && z.Client == p.Client {
			continue
		}
		if z.What == p.What && z.Client == p.Client && isExplained(z, p, explained) {
			continue
		}
		return &Difference{Burst: max(z.Burst, p.Burst), What: z.What, ZooKeeper: outcome(z, p),
			Pando: outcome(p, z)}
	}
	return nil
}

func at(transcript play.Transcript, i int) play.Line {
	if i < len(transcript) {
		return transcript[i]
	}
	return play.Line{What: "nothing"}
}

// outcome is that, with the request where the other's is another one.
func outcome(line, other play.Line) string {
	if line.What != other.What {
		return line.What + " " + line.Outcome
	}
	return line.Outcome
}

func isExplained(z, p play.Line, explained []Explained) bool {
	return slices.ContainsFunc(explained, func(e Explained) bool { return e.explains(z, p) })
}

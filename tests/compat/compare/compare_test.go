package compare

import (
	"os"
	"path/filepath"
	"testing"

	"pando.test/compat/play"
)

func TestOnlyWhatIsExplainedIsLeftOut(t *testing.T) {
	file := filepath.Join(t.TempDir(), "explained.json")
	text := `[{"what": "reattach", "zookeeper": "session (s\\d+) timeout=\\d+",
		"pando": "session ${1} timeout=\\d+", "reason": "a test"}]`
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	explained, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	zookeeper := play.Line{What: "reattach", Outcome: "session s1 timeout=1"}
	for pando, differs := range map[play.Line]bool{
		{What: "reattach", Outcome: "session s1 timeout=1"}:            false,
		{What: "reattach", Outcome: "session s1 timeout=2"}:            false,
		{What: "reattach", Outcome: "session s2 timeout=2"}:            true,
		{What: "reattach", Outcome: "session s1 timeout=2!"}:           true,
		{What: "connect", Outcome: "session s1 timeout=2"}:             true,
		{What: "reattach", Outcome: "session s1 timeout=2", Client: 1}: true,
	} {
		difference := First(play.Transcript{zookeeper}, play.Transcript{pando}, explained)
		if (difference != nil) != differs {
			t.Errorf("%v: %v", pando, difference)
		}
	}
}

func TestAReasonIsNeeded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "explained.json")
	if err := os.WriteFile(file, []byte(`[{"what": "x"}]`), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(file); err == nil {
		t.Error("an entry without a reason is taken")
	}
}

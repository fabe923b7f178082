package daemon_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/varvehq/varve/cmd/internal/daemon"
	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
)

// TestDamagedValue damages one version of one resource, and records another behind
// it: what is told of that resource is DATA_LOSS, all else is as it was, and that is
// so when the daemon starts again.
func TestDamagedValue(t *testing.T) {
	const sound = 300
	ctx, dir := context.Background(), t.TempDir()
	store := func(record ...history.Observation) {
		t.Helper()
		s, err := bolt.Open(dir, bolt.Options{Linker: graph.NewLinker(), MergeIdle: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		receipt, err := s.Append(ctx, history.Batch{Observations: record})
		if err != nil || receipt.Results[0].Err != nil {
			t.Fatal(err, receipt)
		}
		if len(record) > 1 {
			err = s.Merge()
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	observed := func(typ, id, configuration string) history.Observation {
		return history.Observation{Key: history.Key{Type: typ, ID: id}, State: history.State{Configuration: []byte(configuration)}}
	}
	list := []history.Observation{observed("T::Damaged", "d", `{"a":"DAMAGE-ME"}`)}
	for i := range sound {
		list = append(list, observed("T::Sound", fmt.Sprint(i), `{"a":1}`))
	}
	store(list...)

	path := filepath.Join(dir, bolt.FileName)
	file, err := os.ReadFile(path)
	if err != nil || !bytes.Contains(file, []byte("DAMAGE-ME")) {
		t.Fatal("nothing to damage", err)
	}
	if err := os.WriteFile(path, bytes.ReplaceAll(file, []byte("DAMAGE-ME"), []byte("damaged!!")), 0o600); err != nil {
		t.Fatal(err)
	}
	store(observed("T::Damaged", "d", `{"a":"another"}`))

	for range 2 {
		d, stop := start(t, daemon.Options{Dir: dir})
		for path, want := range map[string]string{
			"/v1/items:lookup?type=T::Sound&id=7":    `"configuration":{"a":1}`,
			"/v1/items:count?type=T::Sound":          fmt.Sprintf(`"count":%d`, sound),
			"/v1/items?type=T::Sound&pageSize=400":   `"id":"299"`,
			"/v1/items:history?type=T::Damaged&id=d": `T::Damaged d: a stored value is damaged`,
			"/v1/rules":                              `{`,
		} {
			if _, text := get(t, d, path); !strings.Contains(text, want) {
				t.Errorf("%s: %s", path, text)
			}
		}
		stop()
	}

	d, _ := start(t, daemon.Options{Dir: dir, Tuning: bolt.Options{MergeIdle: time.Millisecond}})
	for begin := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		_, text := get(t, d, "/v1/status")
		if strings.Contains(text, `"resourcesApart":"1"`) {
			break
		}
		if time.Since(begin) > time.Minute {
			t.Fatal("the status does not tell of the damage: ", text)
		}
	}
	_, text := get(t, d, "/metrics")
	contains(t, "metrics", text, "varve_store_resources_apart 1\n", "varve_store_merges_failed_total 0\n")
}

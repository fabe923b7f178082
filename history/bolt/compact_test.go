package bolt_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
)

// TestCompactForgets has a dictionary with a text in it that no version holds
// any more: a fresh file makes its dictionaries of what is kept.
func TestCompactForgets(t *testing.T) {
	ctx := context.Background()
	for name, forget := range map[string]func(*bolt.Store) error{
		"Erased": func(s *bolt.Store) error { return s.Erase(ctx, observed(0, 0, "").Key, 1) },
		"Pruned": func(s *bolt.Store) error {
			_, err := s.Prune(ctx, history.PruneRequest{Floor: firstMoment + 2_000_000, Recorded: history.MomentOf(time.Now())})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := openWith(t, dir, bolt.Options{MergeIdle: time.Hour})
			rnd := rand.New(rand.NewPCG(5, 6))
			word := func() string { // that compression leaves as it is
				b := make([]byte, 32)
				for i := range b {
					b[i] = byte(rnd.Uint32())
				}
				return hex.EncodeToString(b)
			}
			secret := word()
			var b history.Batch
			for r := range 200 {
				text := word()
				if r == 0 {
					text = secret // the first document is in every choice
				}
				b.Observations = append(b.Observations, observed(r, firstMoment, fmt.Sprintf(`{"password":%q}`, text)))
			}
			b.Observations = append(b.Observations, observed(0, firstMoment+1_000_000, `{"password":"changed"}`))
			record(t, s, b)
			if err := s.Merge(); err != nil {
				t.Fatal(err)
			}
			if err := forget(s); err != nil {
				t.Fatal(err)
			}
			found := 0
			if err := s.EachValue(func(v []byte) { found += bytes.Count(v, []byte(secret)) }); err != nil {
				t.Fatal(err)
			}
			if found != 1 {
				t.Fatalf("the text is in %d values of the store, want it in the dictionary alone", found)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if _, err := bolt.Compact(ctx, dir, bolt.CopyOptions{}); err != nil {
				t.Fatal(err)
			}
			sound(t, dir)
			file, err := os.ReadFile(filepath.Join(dir, bolt.FileName))
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(file, []byte(secret)) {
				t.Error("the text is in the compacted file")
			}
			if n := count(t, openWith(t, dir, bolt.Options{}), "dict"); n != 1 {
				t.Errorf("%d dictionaries in the compacted file", n)
			}
		})
	}
}

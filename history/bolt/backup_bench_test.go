package bolt_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
)

// BenchmarkBackup backs a store up at rest and under full load: how long the
// latter takes as a multiple of the former, and what it does to those who record
// meanwhile, as multiples of what they see alone.
//
//	go test -run '^$' -bench Backup -benchtime 1x ./history/bolt
func BenchmarkBackup(b *testing.B) {
	ctx := context.Background()
	s, err := bolt.Open(b.TempDir(), bolt.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	const resources, versions = 5000, 12
	const later = 20
	list := estate(resources, versions+later)
	for _, batch := range batches(list[:resources*versions], 1000) {
		if _, err := s.Append(ctx, history.Batch{Observations: batch}); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Merge(); err != nil {
		b.Fatal(err)
	}
	rest := batches(list[resources*versions:], 16)
	for b.Loop() {
		var size int64
		backup := func() time.Duration {
			begin := time.Now()
			err := s.Backup(ctx, func(chunk []byte) error {
				size += int64(len(chunk))
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
			return time.Since(begin)
		}
		atRest := backup()
		bytes := size

		// record until stopped, then tell how long each commit took.
		record := func(stop <-chan struct{}) (took []time.Duration) {
			for {
				select {
				case <-stop:
					return took
				default:
				}
				if len(rest) == 0 { // once more, as later changes
					again := list[resources*versions:]
					for i := range again {
						again[i].CapturedAt += resources * later * 1_000_000
					}
					rest = batches(again, 16)
				}
				begin := time.Now()
				if _, err := s.Append(ctx, history.Batch{Observations: rest[0]}); err != nil {
					b.Error(err)
					return took
				}
				took, rest = append(took, time.Since(begin)), rest[1:]
			}
		}
		stop := make(chan struct{})
		time.AfterFunc(max(atRest, time.Second), func() { close(stop) })
		begin := time.Now()
		alone := record(stop)
		aloneRate := float64(len(alone)) / time.Since(begin).Seconds()

		stop, done := make(chan struct{}), make(chan time.Duration)
		go func() {
			took := backup()
			close(stop)
			done <- took
		}()
		begin = time.Now()
		beside := record(stop)
		besideRate := float64(len(beside)) / time.Since(begin).Seconds()
		underLoad := <-done

		b.ReportMetric(atRest.Seconds(), "s-at-rest")
		b.ReportMetric(underLoad.Seconds()/atRest.Seconds(), "x-duration")
		b.ReportMetric(percentile(beside, 99)/percentile(alone, 99), "x-p99")
		b.ReportMetric(percentile(beside, 50)/percentile(alone, 50), "x-p50")
		b.ReportMetric(besideRate/aloneRate, "x-rate")
		b.ReportMetric(float64(bytes)/1e6, "MB")
	}
}

func percentile(list []time.Duration, p int) float64 {
	slices.Sort(list)
	return list[(len(list)-1)*p/100].Seconds()
}

// BenchmarkRestore restores and compacts, in bytes of content.
func BenchmarkRestore(b *testing.B) {
	s, dir := estateStore(b, 2000, 10)
	backup := backupOf(b, s)
	content := 0
	for _, o := range estate(2000, 10) {
		content += len(o.State.AppendContent(nil))
	}
	b.Run("Restore", func(b *testing.B) {
		b.SetBytes(int64(content))
		for n := 0; b.Loop(); n++ {
			_, err := bolt.Restore(context.Background(), bytes.NewReader(backup), fmt.Sprint(memoryDir(b), "/", n), bolt.CopyOptions{})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Backup", func(b *testing.B) {
		b.SetBytes(int64(content))
		for b.Loop() {
			err := s.Backup(context.Background(), func(chunk []byte) error {
				_, err := io.Discard.Write(chunk)
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Compact", func(b *testing.B) {
		if err := errors.Join(s.Merge(), s.Close()); err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(content))
		for b.Loop() {
			if _, err := bolt.Compact(context.Background(), dir, bolt.CopyOptions{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

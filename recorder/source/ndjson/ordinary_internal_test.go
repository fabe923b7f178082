package ndjson

import (
	"bufio"
	"bytes"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/varvehq/varve/recorder/internal/realdata"
	"github.com/varvehq/varve/recorder/source"
)

const full = `{"time":"2024-05-01T12:00:00.1234567+02:00","provider":"aws","account":"1","region":"eu-west-1","type":"T","id":"-/x\u00e9",` +
	`"name":"n","arn":"arn:aws:x","availabilityZone":"a","createdAt":"2020-01-01T00:00:00Z","status":"OK","tags":{"a":"b","":"c\u0000"},` +
	`"configuration":{"n": 12345678901234567890.10,"a":[ ]},"supplementary":{"P":"x","Q":null},` +
	`"relationships":[{"name":"Is contained in Vpc","type":"V","id":"vpc-1","account":"2","region":"r"},{"type":"W","name":"z","resourceName":"w"}],` +
	`"deleted":false,"cause":{"actor":"me","eventId":"e","sourceIp":"::1"},"source":"s","extras":{"version":"1.3"}}`

// sameAsStrict reports whether a line is ordinary, and that it is then read as
// strict reads it.
func sameAsStrict(t interface {
	Helper()
	Fatalf(string, ...any)
}, d *decoder, line []byte) bool {
	t.Helper()
	got, ok := d.ordinary(line)
	if !ok {
		return false
	}
	want, err := d.strict(line)
	if err != nil {
		t.Fatalf("%s: is read, want %v", line, err)
	}
	if !reflect.DeepEqual(want, got) { // quick, where there are many lines
		t.Fatalf("%s\n%s", line, cmp.Diff(want, got))
	}
	return true
}

func TestOrdinary(t *testing.T) {
	const base = `{"time":"2024-05-01T12:00:00Z","type":"T","id":"1"`
	for line, ordinary := range map[string]bool{
		full:                            true,
		base + `,"configuration":null}`: true,
		base + `,"configuration" : [ 1 ] } ` + "\r\n":                                     true,
		base + `,"configuration":{"a":1,"a":2}}`:                                          true, // the recorder says so
		base + `,"tags":{},"supplementary":{},"relationships":[],"cause":{},"extras":{}}`: true,
		base + `,"tags":null}`:                                                            false, // strict takes these
		base + `,"extras":null}`:                                                          false,
		base + `,"name":null}`:                                                            false,
		base + `,"extras":[]}`:                                                            false,
		base + `,"other":1}`:                                                              false,
		base + `,"id":"1"}`:                                                               false,
		base + `,"tags":{"a":"b","a":"b"}}`:                                               false,
		base + `,"tags":{"a":1}}`:                                                         false,
		base + `,"deleted":1}`:                                                            false,
		base + `,"cause":{"who":"me"}}`:                                                   false,
		base + `,"configuration":{"a":tru}}`:                                              false,
		base + `} {}`:                                                                     false,
		`{"type":"T","id":"1","configuration":0}`:                                         false,
		`{"time":"2024-05-01","type":"T","id":"1","configuration":0}`:                     false,
		`{"time":"1960-05-01T12:00:00Z","type":"T","id":"1","configuration":0}`:           false,
		`[]`: false,
	} {
		if sameAsStrict(t, &decoder{}, []byte(line)) != ordinary {
			t.Errorf("%s: ordinary is not %v", line, ordinary)
		}
	}
	t.Run("Damaged", func(t *testing.T) {
		var d decoder
		rapid.Check(t, func(t *rapid.T) {
			line := []byte(full)
			for range rapid.IntRange(1, 3).Draw(t, "damages") {
				line[rapid.IntRange(0, len(line)-1).Draw(t, "at")] = rapid.SampledFrom([]byte("{}[],:\"\\ 0aun\xff\n")).Draw(t, "byte")
			}
			sameAsStrict(t, &d, line)
		})
	})
}

// Lines of real sets are ordinary.
func TestOrdinaryInRealSets(t *testing.T) {
	for _, name := range realdata.Glob(t, "*.ndjson.gz") {
		f, err := source.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		var d decoder
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if line := bytes.TrimSpace(lines.Bytes()); !sameAsStrict(t, &d, line) {
				t.Errorf("%.300s", line)
			}
		}
		if err := lines.Err(); err != nil {
			t.Error(err)
		}
		_ = f.Close()
	}
}

package source_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/varvehq/varve/recorder/internal/realdata"
	"github.com/varvehq/varve/recorder/source"
)

func TestDetect(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want source.Format
	}{
		"NDJSON":            {`{"time":"2024-05-01T12:00:00Z","type":"T","id":"1"}`, source.NDJSON},
		"NDJSONCutOff":      {`{"account":"1","configuration":{"a":[1,2`, source.NDJSON},
		"NDJSONTypeLast":    {`{"configuration":{"resourceType":1},"tags":{},"type":"T"}`, source.NDJSON},
		"NDJSONBlankLines":  {"\n \n{\"type\":1}\n", source.NDJSON},
		"NDJSONBadFirst":    {"oops\n{\"oops\n{\"time\":1,\"type\":2}", source.NDJSON},
		"NDJSONBadOnly":     {"oops", source.NDJSON},
		"NDJSONSecondLine":  {"{\"oops\":1}\n{\"type\":\"T\"}", source.NDJSON},
		"Empty":             {"", source.NDJSON},
		"Snapshot":          {`{"fileVersion":"1.0","configSnapshotId":"x","configurationItems":[`, source.AWSConfig},
		"History":           {`{"configurationItems":[],"nextToken":"x"}`, source.AWSConfig},
		"List":              {`  [{"version":"1.3"`, source.AWSConfig},
		"Item":              {`{"version":"1.3","accountId":"1"`, source.AWSConfig},
		"ItemConfiguration": {`{"configuration":{"type":"x"},"resourceType":"T"}`, source.AWSConfig},
		"RuleEvent":         {`{"version":"1.0","invokingEvent":"{}"}`, source.AWSConfig},
		"EventBridge":       {`{"version":"0","id":"x","detail-type":"Config Configuration Item Change","source":"aws.config"}`, source.AWSConfig},
		"EventBridgeSorted": {`{"account":"1","detail":{},"id":"x","region":"r","source":"aws.config","time":"x"}`, source.AWSConfig},
		"SNS":               {`{"Type":"Notification","MessageId":"x","TopicArn":"a","Message":"{}"}`, source.AWSConfig},
		"Other":             {`{"ConfigRules":[{"type":1}]}`, source.Unknown},
		"OtherPretty":       {"{\n  \"ConfigRules\": [\n    {\n      \"type\": 1", source.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			if got := source.Detect([]byte(c.text)); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func FuzzDetect(f *testing.F) {
	f.Add([]byte("{\"a\n{\"time\":{"))
	f.Add([]byte("[]{}\x00"))
	f.Fuzz(func(t *testing.T, peek []byte) {
		if got := source.Detect(peek); source.ParseFormat(got.String()) != got {
			t.Errorf("%v", got)
		}
	})
}

func TestFormatNames(t *testing.T) {
	for _, f := range []source.Format{source.NDJSON, source.AWSConfig} {
		if source.ParseFormat(f.String()) != f {
			t.Errorf("%v", f)
		}
	}
	if source.ParseFormat("auto") != source.Unknown || source.Unknown.String() != "unknown" {
		t.Error("auto is a format")
	}
}

func TestErrors(t *testing.T) {
	cause := errors.New("why")
	for want, err := range map[string]error{
		"line 3: why":                          &source.LineError{Line: 3, Err: cause},
		"line 3: why; the rest cannot be read": &source.BrokenError{Line: 3, Err: cause},
	} {
		if err.Error() != want || !errors.Is(err, cause) {
			t.Errorf("got %q, want %q", err, want)
		}
	}
}

func write(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpen(t *testing.T) {
	text := strings.Repeat(`{"time":"2024-05-01T12:00:00Z","type":"T","id":"1","configuration":{}}`+"\n", 10_000)
	packed := func(part string) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = io.WriteString(z, part)
		_ = z.Close()
		return b.Bytes()
	}
	half := len(text) / 2
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"plain":        []byte(text),
		"mark":         []byte("\ufeff" + text),
		"gzip":         packed(text),
		"gzipMark":     packed("\ufeff" + text),
		"gzipTwoParts": append(packed(text[:half]), packed(text[half:])...),
		"zstd":         z.EncodeAll([]byte(text), nil),
		"zstdTwoParts": z.EncodeAll([]byte(text[half:]), z.EncodeAll([]byte(text[:half]), nil)),
	} {
		t.Run(name, func(t *testing.T) {
			f, err := source.Open(write(t, "any.name", content))
			if err != nil {
				t.Fatal(err)
			}
			if format, err := f.Detect(); err != nil || format != source.NDJSON {
				t.Errorf("detected %v, %v", format, err)
			}
			if f.BytesRead() > f.Size || f.Size != int64(len(content)) {
				t.Errorf("%d of %d", f.BytesRead(), f.Size)
			}
			got, err := io.ReadAll(f)
			if err != nil || string(got) != text {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			if f.BytesRead() != f.Size {
				t.Errorf("%d of %d", f.BytesRead(), f.Size)
			}
			if err := errors.Join(f.Close(), f.Close()); err != nil {
				t.Error(err)
			}
		})
	}

	t.Run("Small", func(t *testing.T) {
		for _, content := range []string{"", "x", "\xef\xbb", "\x1f"} {
			f, err := source.Open(write(t, "x", []byte(content)))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(f); string(got) != content || err != nil {
				t.Errorf("%q, %v", got, err)
			}
			if format, err := f.Detect(); err != nil || format != source.NDJSON {
				t.Errorf("detected %v, %v", format, err)
			}
			_ = f.Close()
		}
	})

	for name, c := range map[string]struct {
		path, want string
	}{
		"NotThere": {filepath.Join(t.TempDir(), "x"), "no such file"},
		"Folder":   {t.TempDir(), "is a folder"},
		"UTF16":    {write(t, "x", []byte("\xff\xfe{\x00")), "is UTF-16; convert it to UTF-8"},
		"BadGzip":  {write(t, "x", append([]byte{0x1f, 0x8b}, make([]byte, 20)...)), "gzip"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := source.Open(c.path)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.path) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}

	t.Run("CutOff", func(t *testing.T) {
		whole := packed(text)
		f, err := source.Open(write(t, "x", whole[:len(whole)-10]))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := io.ReadAll(f); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Error(err)
		}
	})
}

func TestOpenStdin(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdin := os.Stdin
	os.Stdin = r
	defer func() { os.Stdin = stdin }()
	line := `{"time":1}` + "\n"
	if _, err := w.WriteString(line); err != nil {
		t.Fatal(err)
	}
	// The pipe stays open: one line must do to know the format.
	f, err := source.Open("-")
	if err != nil {
		t.Fatal(err)
	}
	if format, err := f.Detect(); format != source.NDJSON || err != nil || f.Size != -1 || f.Name != "stdin" {
		t.Errorf("%v, %v, %+v", format, err, f)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(f); string(got) != line || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if err := r.Close(); err != nil {
		t.Errorf("standard input was closed: %v", err)
	}
}

func TestDetectRealData(t *testing.T) {
	for pattern, want := range map[string]source.Format{
		"*.ndjson.gz": source.NDJSON,
		"native/aws-config/configuration-items/*":             source.AWSConfig,
		"native/aws-config/events-and-items/*":                source.AWSConfig,
		"native/aws-config/cli-output/*GetResourceConfigHis*": source.AWSConfig,
		"native/aws-config/cli-output/*SelectResourceConfig*": source.Unknown,
	} {
		for _, path := range realdata.Glob(t, pattern) {
			f, err := source.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := f.Detect(); got != want || err != nil {
				t.Errorf("%s: %v, %v", path, got, err)
			}
			_ = f.Close()
		}
	}
}

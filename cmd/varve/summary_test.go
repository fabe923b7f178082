package main

import (
	"strings"
	"testing"

	"github.com/varvehq/varve/history/diff"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

func TestSummary(t *testing.T) {
	long := `"registry.example.com/team/checkout:` + strings.Repeat("a", 20)
	tests := []struct {
		name, before, after, want string
	}{
		{"Nothing", `{}`, `{}`, ``},
		{"Scalar", `{"a":1.0}`, `{"a":1}`, `~ a 1.0 → 1`},
		{"Added", `{"a":{}}`, `{"a":{"b":"x"}}`, `+ a/b "x"`},
		{"AddedObject", `{}`, `{"a":{"b":"x"}}`, `+ a`},
		{"RemovedElement", `{"a":["x","y"]}`, `{"a":["x"]}`, `- a "y"`},
		{"Deep", `{"a":{"b":{"c":{"d":true}}}}`, `{"a":{"b":{"c":{"d":false}}}}`, `~ a/…/d true → false`},
		{"Slash", `{"a/b~c":1}`, `{"a/b~c":2}`, `~ a/b~c 1 → 2`},
		{"LongStrings", `{"image":` + long + `:41"}`, `{"image":` + long + `:42"}`, `~ image "…:41" → "…:42"`},
		{"LongStringsThatDiffer", `{"a":"` + strings.Repeat("x", 40) + `"}`, `{"a":"` + strings.Repeat("y", 40) + `"}`, `~ a`},
		{"Top", `1`, `[2]`, `~`},
		{"Many", `{}`, `{"alpha":"123456789012345678901","beta":"123456789012345678901","gamma":"123456789012345678901","delta":4,"epsilon":5}`,
			`+ alpha "123456789012345678901"; + beta "123456789012345678901"; + delta 4; + epsilon 5; 1 more`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			changes, err := diff.Changes([]byte(tt.before), []byte(tt.after), diff.ViewOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if got := summary(changes); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestChangeText(t *testing.T) {
	item := func(configuration string, deleted bool) *varvev1.Item {
		i := &varvev1.Item{Key: &varvev1.ResourceKey{Type: "T", Id: "i"}, Deleted: deleted, Name: "n"}
		if configuration != "" {
			i.Configuration = &varvev1.Json{Raw: []byte(configuration)}
		}
		return i
	}
	renamed := item(`1`, false)
	renamed.Name, renamed.Tags = "m", map[string]string{"k": "v"}
	for name, tt := range map[string]struct {
		older, newer *varvev1.Item
		want         string
	}{
		"First":        {nil, item(`1`, false), "first seen"},
		"Gone":         {item(`1`, false), item(``, true), "deleted"},
		"Back":         {item(``, true), item(`1`, false), "there again"},
		"Same":         {item(`1`, false), item(`1`, false), ""},
		"Attributes":   {item(`1`, false), renamed, `~ name "n" → "m"; + tags`},
		"NotRecorded":  {item(`1`, false), item(``, false), `- 1`},
		"FirstDeleted": {nil, item(``, true), "deleted"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := changeText(tt.older, tt.newer); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestShortActor(t *testing.T) {
	for actor, want := range map[string]string{
		"arn:aws:iam::111122223333:user/alice":                  "alice",
		"arn:aws:sts::111122223333:assumed-role/deploy/ci-4711": "deploy/ci-4711",
		"arn:aws:iam::111122223333:root":                        "root",
		"arn:aws:iam::1:role/a:b":                               "a:b",
		"system:serviceaccount:platform:deployer":               "platform:deployer",
		"alice@example.com":                                     "alice@example.com",
		"arn:aws":                                               "arn:aws",
		"":                                                      "",
	} {
		if got := shortActor(actor); got != want {
			t.Errorf("%s: got %q, want %q", actor, got, want)
		}
	}
}

// A line of a history is never a difference to what is not known.
func TestChangeTextOfWhatIsGone(t *testing.T) {
	item := func(version uint32, status, json string) *varvev1.Item {
		return &varvev1.Item{Version: version, Status: status, Configuration: &varvev1.Json{Raw: []byte(json)}}
	}
	erased := &varvev1.Item{Version: 2, Status: "OK", Erased: true}
	for name, tt := range map[string]struct {
		older, newer *varvev1.Item
		want         string
	}{
		"FirstSeen":     {nil, item(1, "ResourceDiscovered", `1`), "first seen"},
		"FirstSeenLate": {nil, item(4, "ResourceDiscovered", `1`), "first seen"},
		"FirstWithOK":   {nil, item(1, "OK", `1`), "first seen"},
		"AfterAPrune":   {nil, item(4, "OK", `1`), "the oldest that is kept"},
		"Erased":        {item(1, "OK", `1`), erased, "content was erased"},
		"AfterErased":   {erased, item(3, "OK", `1`), "content of v2, before it, was erased"},
		"Changed":       {item(1, "OK", `{"a":1}`), item(3, "OK", `{"a":2}`), "~ a 1 → 2"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := changeText(tt.older, tt.newer); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

package gateway

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// The generated code takes query members as they come: it passes over those it
// does not know, and says of a bad one what strconv says. So they are read here
// first, and what it gets is what it cannot misunderstand.

// question is what a route takes from its query: by JSON name and by name.
type question map[string]protoreflect.FieldDescriptor

// questions are those of all routes, by method and pattern.
func questions() (map[string]question, error) {
	all := map[string]question{}
	for _, file := range []protoreflect.FileDescriptor{
		varvev1.File_varve_v1_compliance_proto, varvev1.File_varve_v1_graph_proto, varvev1.File_varve_v1_history_proto, varvev1.File_varve_v1_maintenance_proto,
		varvev1.File_varve_v1_recorder_proto, varvev1.File_varve_v1_run_proto, varvev1.File_varve_v1_subscription_proto,
		varvev1.File_varve_v1_watch_proto,
	} {
		for i := range file.Services().Len() {
			methods := file.Services().Get(i).Methods()
			for j := range methods.Len() {
				m := methods.Get(j)
				rule, ok := proto.GetExtension(m.Options(), annotations.E_Http).(*annotations.HttpRule)
				if !ok || rule == nil {
					continue // gRPC only
				}
				verb, path := bound(rule)
				if path == "" || len(rule.GetAdditionalBindings()) > 0 {
					return nil, fmt.Errorf("gateway: %s is bound in a way that is not foreseen here", m.FullName())
				}
				all[verb+" "+path] = questionOf(m.Input(), path, rule.GetBody())
			}
		}
	}
	return all, nil
}

// bound is the verb and the path of a rule; no path if it is none of these verbs.
func bound(rule *annotations.HttpRule) (verb, path string) {
	switch p := rule.GetPattern().(type) {
	case *annotations.HttpRule_Get:
		return http.MethodGet, p.Get
	case *annotations.HttpRule_Put:
		return http.MethodPut, p.Put
	case *annotations.HttpRule_Post:
		return http.MethodPost, p.Post
	case *annotations.HttpRule_Delete:
		return http.MethodDelete, p.Delete
	}
	return "", ""
}

// questionOf is what body and path leave over.
func questionOf(m protoreflect.MessageDescriptor, path, body string) question {
	q := question{}
	if body == "*" {
		return q
	}
	for i := range m.Fields().Len() {
		fd := m.Fields().Get(i)
		name := string(fd.Name())
		if name == body || strings.Contains(path, "{"+name+"=") || strings.Contains(path, "{"+name+"}") {
			continue
		}
		q[fd.JSONName()], q[name] = fd, fd
	}
	return q
}

// readQuery is a middleware that checks the query of a request and spells it as
// the generated code wants it.
func (g *gateway) readQuery(next runtime.HandlerFunc) runtime.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request, params map[string]string) {
		pattern, _ := runtime.HTTPPattern(r.Context())
		q, ok := g.questions[r.Method+" "+pattern.String()]
		if !ok {
			next(w, r, params)
			return
		}
		form, err := q.read(r.URL.RawQuery)
		for name, v := range params {
			if !utf8.ValidString(v) {
				err = &history.Error{Kind: history.Invalid, Field: name, Value: strconv.Quote(cut(v)), Text: errUTF8.Error()}
			}
		}
		if err != nil {
			g.fail(w, r, err)
			return
		}
		if mask := form.Get("read_mask"); mask != "" {
			r = r.WithContext(withMask(r.Context(), strings.Split(mask, ",")))
		}
		r.Form, r.PostForm = form, url.Values{}
		next(w, r, params)
	}
}

func (q question) read(raw string) (url.Values, error) {
	given, err := url.ParseQuery(raw)
	if err != nil {
		return nil, &history.Error{Kind: history.Invalid, Field: "query",
			Text: "cannot be read; write % as %25, & as %26, + as %2B, ; as %3B and # as %23"}
	}
	form := url.Values{}
	for name, values := range given {
		fd := q[name]
		if fd == nil {
			return nil, &history.Error{Kind: history.Invalid, Field: name, Text: "is not a member of this query"}
		}
		key := string(fd.Name())
		if form.Has(key) || len(values) > 1 && !fd.IsList() && key != "read_mask" {
			return nil, &history.Error{Kind: history.Invalid, Field: name, Text: "is given more than once"}
		}
		for i, v := range values {
			if values[i], err = spell(fd, v); err != nil {
				return nil, &history.Error{Kind: history.Invalid, Field: name, Value: strconv.Quote(cut(v)), Text: err.Error()}
			}
		}
		if key == "read_mask" {
			values = []string{strings.Join(values, ",")}
		}
		form[key] = values
	}
	return form, nil
}

var errUTF8 = errors.New("is not valid UTF-8")

// spell checks one value and gives it the form that the generated code takes.
func spell(fd protoreflect.FieldDescriptor, v string) (string, error) {
	if !utf8.ValidString(v) { // which no message can carry on
		return "", errUTF8
	}
	var ok bool
	switch fd.Kind() {
	case protoreflect.BoolKind:
		ok = v == "true" || v == "false"
		if !ok {
			return "", fmt.Errorf("is not true or false")
		}
	case protoreflect.Int32Kind:
		_, err := strconv.ParseInt(v, 10, 32)
		ok = err == nil
	case protoreflect.EnumKind:
		ok = fd.Enum().Values().ByName(protoreflect.Name(v)) != nil
	case protoreflect.StringKind:
		ok = true
	case protoreflect.MessageKind:
		return spellMessage(fd.Message(), v)
	}
	if !ok {
		return "", fmt.Errorf("is not %s", wanted(fd))
	}
	return v, nil
}

// eatenPlus is an offset from UTC whose + a form decoder took for a blank.
var eatenPlus = regexp.MustCompile(`(T[0-9:.]+) ([0-9]{2}:[0-9]{2})$`)

func spellMessage(md protoreflect.MessageDescriptor, v string) (string, error) {
	switch md.FullName() {
	case "google.protobuf.Timestamp":
		v = eatenPlus.ReplaceAllString(v, "$1+$2")
		t, err := time.Parse(time.RFC3339Nano, v)
		if err != nil {
			return "", fmt.Errorf("is not a time in RFC 3339, such as 2026-03-01T09:30:00Z")
		}
		switch t = t.UTC(); { // a Timestamp reaches from year 1 to 9999
		case t.Year() < 1:
			t = time.Time{}
		case t.Year() > 9999:
			return "", errors.New("is out of range: the year 9999 is the last")
		}
		return t.Format(time.RFC3339Nano), nil
	case "google.protobuf.Duration":
		if _, err := time.ParseDuration(v); err != nil {
			return "", fmt.Errorf("is not a duration, such as 30s")
		}
		return v, nil
	case "google.protobuf.FieldMask":
		paths := strings.Split(v, ",")
		for i, path := range paths {
			paths[i] = fieldPath(path)
		}
		return strings.Join(paths, ","), nil
	}
	return "", fmt.Errorf("cannot be part of a query")
}

// fieldPath turns a path of JSON names over Item into one of field names. What
// it does not know it leaves, for the server to refuse.
func fieldPath(path string) string {
	fields := (*varvev1.Item)(nil).ProtoReflect().Descriptor().Fields()
	parts := strings.Split(path, ".")
	for i, part := range parts {
		if fields == nil {
			break
		}
		fd := cmp.Or(fields.ByJSONName(part), fields.ByTextName(part))
		if fd == nil {
			break
		}
		parts[i], fields = string(fd.Name()), nil
		if fd.Message() != nil {
			fields = fd.Message().Fields()
		}
	}
	return strings.Join(parts, ".")
}

func cut(text string) string {
	if len(text) > 64 {
		return text[:64] + "…"
	}
	return text
}

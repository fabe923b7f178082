package cel

import (
	"cmp"
	"fmt"
	"strings"
	"unsafe"

	gocel "cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/varvehq/varve/history/expr"
)

// maxJSON is how many bytes of text are read as JSON.
const maxJSON = 1 << 20

// decodeText reads JSON, which need not be in canonical form, or is an error value.
func decodeText(text string) ref.Val {
	if len(text) > maxJSON {
		return types.NewErr("a text of %d bytes is not read as JSON; at most %d are", len(text), maxJSON)
	}
	canonical, err := jsontext.AppendFormat(nil, unsafe.Slice(unsafe.StringData(text), len(text)),
		jsontext.AllowDuplicateNames(false), jsontext.AllowInvalidUTF8(false),
		jsontext.CanonicalizeRawInts(false), jsontext.CanonicalizeRawFloats(false), jsontext.ReorderRawObjects(true))
	if err != nil {
		return types.NewErr("a text is no JSON: %.60q", text)
	}
	return expr.Decode(canonical)
}

// values are functions that read one value out of another.
func values() []gocel.EnvOption {
	one := func(name string, result *gocel.Type, read func(ref.Val) ref.Val) gocel.EnvOption {
		return function(name, takes(gocel.DynType), result, func(args ...ref.Val) ref.Val { return read(args[0]) })
	}
	return []gocel.EnvOption{
		one("anycase", gocel.DynType, lenient),
		one("json", gocel.DynType, readJSON),
		one("csv", gocel.ListType(gocel.StringType), readCSV),
		one("tags", gocel.MapType(gocel.StringType, gocel.StringType), readTags),
		one("listOf", gocel.ListType(gocel.DynType), listOf),
		one("isTrue", gocel.BoolType, isTrue),
		one("text", gocel.StringType, textOf),
		function("compareVersions", takes(gocel.StringType, gocel.StringType), gocel.IntType, func(args ...ref.Val) ref.Val {
			a, ok := args[0].(types.String)
			b, isText := args[1].(types.String)
			if !ok || !isText {
				return types.NoSuchOverloadErr()
			}
			order, err := compareVersions(string(a), string(b))
			if err != nil {
				return types.WrapErr(err)
			}
			return types.Int(order)
		}),
	}
}

// readJSON is what a text says; what is no text is taken as it is.
func readJSON(v ref.Val) ref.Val {
	switch v := unopt(v).(type) {
	case nil:
		return types.NewErr("there is nothing to read JSON from")
	case types.String:
		return decodeText(string(v))
	default:
		return v
	}
}

func readCSV(v ref.Val) ref.Val {
	var all []string
	switch v := unopt(v).(type) {
	case nil:
	case types.String:
		for part := range strings.SplitSeq(string(v), ",") {
			if part = strings.TrimSpace(part); part != "" {
				all = append(all, part)
			}
		}
	case traits.Lister:
		return v.(ref.Val)
	default:
		return types.NewErr("a %s is no list of texts", v.Type().TypeName())
	}
	return types.NewStringList(types.DefaultTypeAdapter, all)
}

// readTags reads {name: value} and [{key: name, value: value}], in any case.
func readTags(v ref.Val) ref.Val {
	all := make(map[string]string)
	switch v := unopt(v).(type) {
	case nil:
	case traits.Lister:
		for it := v.Iterator(); it.HasNext() == types.True; {
			tag, ok := lenient(it.Next()).(traits.Mapper)
			if !ok {
				return types.NewErr("tags are a list of keys and values")
			}
			name, found := tag.Find(types.String("key"))
			if !found {
				return types.NewErr("no such key: key")
			}
			value, _ := tag.Find(types.String("value"))
			all[scalar(name)] = scalar(value)
		}
	case traits.Mapper:
		for it := v.Iterator(); it.HasNext() == types.True; {
			name := it.Next()
			value, _ := v.Find(name)
			all[scalar(name)] = scalar(value)
		}
	default:
		return types.NewErr("a %s is no list of tags", v.Type().TypeName())
	}
	return expr.Sorted(types.NewStringStringMap(types.DefaultTypeAdapter, all))
}

func scalar(v ref.Val) string {
	switch v := v.(type) {
	case nil, types.Null:
		return ""
	case types.String:
		return string(v)
	}
	return fmt.Sprint(v.Value())
}

// listOf is a list as it is, nothing as the empty list, and a value as a list of it.
func listOf(v ref.Val) ref.Val {
	switch v := unopt(v).(type) {
	case nil:
		return types.NewRefValList(types.DefaultTypeAdapter, nil)
	case traits.Lister:
		return v.(ref.Val)
	default:
		return types.NewRefValList(types.DefaultTypeAdapter, []ref.Val{v})
	}
}

// isTrue is whether a value is true, also as a text; nothing is false.
func isTrue(v ref.Val) ref.Val {
	switch v := unopt(v).(type) {
	case nil:
		return types.False
	case types.Bool:
		return v
	case types.String:
		switch strings.ToLower(string(v)) {
		case "true":
			return types.True
		case "false", "":
			return types.False
		}
		return types.NewErr("%.40q is neither true nor false", string(v))
	default:
		return types.NewErr("a %s is neither true nor false", v.Type().TypeName())
	}
}

// textOf is a scalar as a text; nothing is the empty text.
func textOf(v ref.Val) ref.Val {
	switch v := unopt(v).(type) {
	case nil:
		return types.String("")
	case types.String:
		return v
	case traits.Lister, traits.Mapper:
		return types.NewErr("a %s is no text", v.Type().TypeName())
	default:
		return v.ConvertToType(types.StringType)
	}
}

// compareVersions compares numbers by numbers, from the left; what is missing is 0.
// A part may go on with letters: 10.7.mysql_aurora.1, 1.2.3-rc1, v1.2. Those compare
// as texts, and a version without them is later than the one with a pre-release.
func compareVersions(a, b string) (int, error) {
	x, y := versionParts(a), versionParts(b)
	if x == nil || y == nil {
		return 0, fmt.Errorf("%.40q and %.40q are not both versions such as 1.10.2", a, b)
	}
	for i := range max(len(x), len(y)) {
		p, q := part(x, i), part(y, i)
		if c := comparePart(p, q); c != 0 {
			return c, nil
		}
	}
	return 0, nil
}

func versionParts(v string) []string {
	v = strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(v), "v"), "V")
	if v == "" || len(v) > 200 || v[0] < '0' || v[0] > '9' {
		return nil
	}
	return strings.FieldsFunc(v, func(r rune) bool { return strings.ContainsRune(".-_+ ", r) })
}

func part(parts []string, i int) string {
	if i < len(parts) {
		return parts[i]
	}
	return "0"
}

func comparePart(a, b string) int {
	x, restX := number(a)
	y, restY := number(b)
	switch {
	case x != "" && y != "":
		return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y), compareRest(restX, restY))
	case x != "":
		return 1 // a number is later than a word: 1.2.0 than 1.2.rc
	case y != "":
		return -1
	}
	return strings.Compare(a, b)
}

// number is the number that a part begins with, without zeros before it.
func number(part string) (digits, rest string) {
	n := 0
	for n < len(part) && '0' <= part[n] && part[n] <= '9' {
		n++
	}
	if n == 0 {
		return "", part
	}
	digits = strings.TrimLeft(part[:n], "0")
	return cmp.Or(digits, "0"), part[n:]
}

func compareRest(a, b string) int {
	switch {
	case a == b:
		return 0
	case a == "":
		return 1
	case b == "":
		return -1
	}
	return strings.Compare(a, b)
}

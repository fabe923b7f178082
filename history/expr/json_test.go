package expr_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/expr"
)

func TestNumbers(t *testing.T) {
	for literal, want := range map[string]ref.Val{
		"0": types.Int(0), "-0": types.Int(0), "1": types.Int(1), "-17": types.Int(-17),
		"9223372036854775807": types.Int(9223372036854775807), "-9223372036854775808": types.Int(-9223372036854775808),
		"9223372036854775808": types.Uint(9223372036854775808), "18446744073709551615": types.Uint(18446744073709551615),
		"1.0": types.Double(1), "1e0": types.Double(1), "1.5": types.Double(1.5), "-2.5E+3": types.Double(-2500), "1e-400": types.Double(0),
	} {
		t.Run(literal, func(t *testing.T) {
			if got := expr.Decode([]byte(literal)); got != want {
				t.Errorf("got %v of type %v, want %v of type %v", got, got.Type(), want, want.Type())
			}
		})
	}
	for _, literal := range []string{"18446744073709551616", "-9223372036854775809", strings.Repeat("7", 400), "1e400"} {
		t.Run("No exact value/"+literal[:min(len(literal), 20)], func(t *testing.T) {
			document := expr.Decode([]byte(`{"a":` + literal + `,"b":2}`)).(traits.Mapper)
			if a := document.Get(types.String("a")); !types.IsError(a) {
				t.Errorf("got %v of type %v, want an error", a, a.Type())
			}
			if b := document.Get(types.String("b")); b != types.Int(2) {
				t.Errorf("its neighbour is %v", b)
			}
		})
	}
}

// values are canonical documents, with numbers that encoding/json can tell too.
func values() *rapid.Generator[string] {
	scalar := rapid.OneOf(
		rapid.SampledFrom([]string{"null", "true", "false", "0", "1", "-5", "1.5", "1e3", "9007199254740993", `""`}),
		rapid.Custom(func(t *rapid.T) string {
			quoted, err := jsontext.AppendQuote(nil, strings.ToValidUTF8(rapid.String().Draw(t, "text"), "?"))
			if err != nil {
				t.Fatal(err)
			}
			return string(quoted)
		}),
	)
	var value func(depth int) *rapid.Generator[string]
	value = func(depth int) *rapid.Generator[string] {
		if depth == 0 {
			return scalar
		}
		return rapid.OneOf(scalar,
			rapid.Map(rapid.SliceOfN(value(depth-1), 0, 4), func(of []string) string { return "[" + strings.Join(of, ",") + "]" }),
			rapid.Custom(func(t *rapid.T) string {
				members := rapid.MapOfN(rapid.StringMatching(`[a-zé\n"\\]{0,3}`), value(depth-1), 0, 12).Draw(t, "members")
				raw := make(map[string]json.RawMessage)
				for name, v := range members {
					raw[name] = json.RawMessage(v)
				}
				b, err := json.Marshal(raw)
				if err != nil {
					t.Fatal(err)
				}
				c, err := jsontext.AppendFormat(nil, b, jsontext.ReorderRawObjects(true))
				if err != nil {
					t.Fatal(err)
				}
				return string(c)
			}),
		)
	}
	return value(4)
}

// plain is a value as encoding/json has it with numbers as text.
func plain(t interface{ Fatalf(string, ...any) }, v ref.Val) any {
	switch v := v.(type) {
	case types.Null:
		return nil
	case types.Bool:
		return bool(v)
	case types.String:
		return string(v)
	case types.Int, types.Uint, types.Double:
		return v.Value()
	case traits.Mapper:
		all := map[string]any{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			name := it.Next()
			all[string(name.(types.String))] = plain(t, v.Get(name))
		}
		return all
	case traits.Lister:
		all := []any{}
		for i := range int(v.Size().(types.Int)) {
			all = append(all, plain(t, v.Get(types.Int(i))))
		}
		return all
	}
	t.Fatalf("unknown %v of %T", v, v)
	return nil
}

// numbers reads the texts that the standard library left as plain reads them.
func numbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if !strings.ContainsAny(string(v), ".eE") {
			i, _ := v.Int64()
			return i
		}
		f, _ := v.Float64()
		return f
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = numbers(v[k])
		}
	}
	return v
}

func TestDecodeTellsWhatTheStandardLibraryTells(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := values().Draw(t, "document")
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		var want any
		if err := d.Decode(&want); err != nil {
			t.Fatal(err)
		}
		v := expr.Decode([]byte(text))
		if diff := cmp.Diff(numbers(want), plain(t, v)); diff != "" {
			t.Fatalf("%s\n(-want +got)\n%s", text, diff)
		}
		if again := expr.Decode([]byte(text)); v.Equal(again) != types.True {
			t.Fatalf("%s is not equal to itself", text)
		}
	})
}

func TestEqual(t *testing.T) {
	const big, bigger = `{"a":[123456789012345678901]}`, `{"a":[123456789012345678902]}`
	for _, test := range []struct {
		name, a, b string
		want       ref.Val
	}{
		{"Same text", `{"a":[1,{"b":null}]}`, `{"a":[1,{"b":null}]}`, types.True},
		{"One number in two forms", `{"a":1.0}`, `{"a":1}`, types.True},
		{"Null and absent differ", `{"a":null}`, `{"b":null}`, types.False},
		{"Text and number differ", `["1"]`, `[1]`, types.False},
		{"Lengths differ", `[1]`, `[1,1]`, types.False},
		{"Object and array differ", `{}`, `[]`, types.False},
		{"Integers beyond 64 bits are equal digit by digit", big, big, types.True},
		{"Integers beyond 64 bits differ by a digit", big, bigger, types.False},
		{"A larger document around the same large integer", `{"a":[123456789012345678901],"b":1.0}`, `{"a":[123456789012345678901],"b":1}`, types.True},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, b := expr.Decode([]byte(test.a)), expr.Decode([]byte(test.b))
			if got := a.Equal(b); got != test.want {
				t.Errorf("%s == %s: %v", test.a, test.b, got)
			}
			if got := b.Equal(a); got != test.want {
				t.Errorf("%s == %s: %v", test.b, test.a, got)
			}
		})
	}
	t.Run("An integer beyond 64 bits and a double cannot be compared", func(t *testing.T) {
		if got := expr.Decode([]byte(big)).Equal(expr.Decode([]byte(`{"a":[1.5]}`))); !types.IsError(got) {
			t.Errorf("got %v", got)
		}
	})
}

func TestDamagedDocument(t *testing.T) {
	whole := []byte(`{"a":[1,-2.5e3,"x\ny",true,false,null],"b":{}}`)
	for cut := 1; cut < len(whole); cut++ {
		v := expr.Decode(bytes.Clone(whole[:cut]))
		err, ok := v.(*types.Err)
		if !ok || !errors.Is(err, history.DataLoss) {
			t.Errorf("%s: got %v", whole[:cut], v)
		}
	}
	for _, text := range []string{`{}x`, `[1 2]`, `{"a"}`, `{a:1}`, `"\x"`, `nul`, `{"a":1,}`, strings.Repeat("[", 1<<20)} {
		if v := expr.Decode([]byte(text)); !types.IsError(v) {
			t.Errorf("%.40s: got %v", text, v)
		}
	}
}

func TestDamageWithinAMember(t *testing.T) {
	for _, damaged := range []string{`[1 2]`, `{"x":}`, `[}`, `{"x":[1,]}`, `["\x"]`, strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000)} {
		v, ok := expr.Decode([]byte(`{"a":` + damaged + `,"b":{"c":2}}`)).(traits.Mapper)
		if !ok {
			t.Errorf("%.20s: the rest is lost", damaged)
			continue
		}
		for range 2 { // it is the same whoever looked before
			err, ok := v.Get(types.String("a")).(*types.Err)
			if !ok || !errors.Is(err, history.DataLoss) {
				t.Errorf("%.20s: got %v", damaged, v.Get(types.String("a")))
			}
		}
		if b := v.Get(types.String("b")).(traits.Mapper).Get(types.String("c")); b != types.Int(2) {
			t.Errorf("%.20s: its neighbour is %v", damaged, b)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{"a":[1,-2.5e3,"x\ny",true,null]}`, `"\ud83d\ude00"`, `[[[[`, `-`, `{"a":{"a":{}}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		v := expr.Decode(bytes.Clone(raw))
		canonical, err := jsontext.AppendFormat(nil, raw, jsontext.ReorderRawObjects(true))
		if err != nil || !bytes.Equal(canonical, raw) {
			return // any value or error will do
		}
		if e, ok := v.(*types.Err); ok && errors.Is(e, history.DataLoss) {
			t.Fatalf("%s: %v", raw, v)
		}
		whole(t, v)
		if again := expr.Decode(raw); v.Equal(again) != types.True && !types.IsError(v) {
			t.Fatalf("%s is not equal to itself", raw)
		}
	})
}

// whole finds no damage in a value.
func whole(t *testing.T, v ref.Val) {
	switch v := v.(type) {
	case *types.Err:
		if errors.Is(v, history.DataLoss) {
			t.Fatal(v)
		}
	case traits.Mapper:
		for it := v.Iterator(); it.HasNext() == types.True; {
			whole(t, v.Get(it.Next()))
		}
	case traits.Lister:
		for it := v.Iterator(); it.HasNext() == types.True; {
			whole(t, it.Next())
		}
	}
}

func TestSharedByManyEvaluations(t *testing.T) {
	env, err := expr.NewEnv(expr.Limits{}, cel.Variable("doc", cel.DynType))
	if err != nil {
		t.Fatal(err)
	}
	p, err := env.Condition("rule", `doc.a.exists(v, v.n == 3) && doc.m.all(k, doc.m[k] == k) && doc.m == {"x": "x", "y": "y"} && size(doc.a + doc.a) == 4`)
	if err != nil {
		t.Fatal(err)
	}
	vars, err := cel.NewActivation(map[string]any{"doc": expr.Decode([]byte(`{"a":[{"n":1},{"n":3}],"m":{"x":"x","y":"y"}}`))})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				if ok, err := p.Holds(t.Context(), vars); !ok || err != nil {
					t.Errorf("got %v, %v", ok, err)
				}
			}
		})
	}
	all.Wait()
}

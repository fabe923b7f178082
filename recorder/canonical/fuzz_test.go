package canonical_test

import (
	"os"
	"testing"
)

// FuzzCanonical holds this package to jsontext on any bytes at all. The fuzzer likes to
// spend its time on making inputs smaller, which -fuzzminimizetime=20x cuts short.
func FuzzCanonical(f *testing.F) {
	for _, c := range accepted {
		f.Add([]byte(c.src))
	}
	for _, c := range refused {
		f.Add([]byte(c.src))
	}
	instance, err := os.ReadFile("testdata/instance.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(instance)
	f.Add(wide(20))
	f.Add(deep(20, 20))

	f.Fuzz(func(t *testing.T, src []byte) {
		checkAgainstOracle(t, src)
	})
}

package canonical_test

import (
	"errors"
	"fmt"

	"github.com/varvehq/varve/recorder/canonical"
)

func ExampleForm() {
	form, err := canonical.Form([]byte(`{
		"size": 1.0,
		"name": "caf\u00e9 \u0026 bar",
		"owner": {"id": 12345678901234567890}
	}`), canonical.Limits{})
	fmt.Println(string(form), err)
	// Output: {"name":"café & bar","owner":{"id":12345678901234567890},"size":1.0} <nil>
}

func ExampleError() {
	_, err := canonical.Form([]byte(`{"spec": [{"port": 80, "port": 81}]}`), canonical.Limits{})

	var refusal *canonical.Error
	if errors.As(err, &refusal) {
		fmt.Println(refusal.Kind, refusal.Pointer, refusal.Offset)
	}
	fmt.Println(fmt.Errorf("configuration: %w", err))
	// Output:
	// DuplicateKey /spec/0 23
	// configuration: duplicate key "port" at /spec/0 (byte 23): also given at byte 11; keep one of them
}

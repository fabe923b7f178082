package diff_test

import (
	"fmt"
	"os"

	"github.com/varvehq/varve/history/diff"
)

func ExampleCompute() {
	before := []byte(`{"size": 1.0, "tags": ["a", "b", "c"]}`)
	after := []byte(`{"size": 1, "tags": ["a", "c"]}`)

	patch, err := diff.Compute(before, after, diff.Options{LCS: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	raw, err := patch.MarshalJSON()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(raw))

	out, err := diff.Apply(before, patch)
	fmt.Println(string(out), err)
	// Output:
	// [{"op":"replace","path":"/size","value":1},{"op":"remove","path":"/tags/1"}]
	// {"size":1,"tags":["a","c"]} <nil>
}

func ExampleChanges() {
	before := []byte(`{"containers": [{"name": "web", "image": "web:1.4"}, {"name": "log", "image": "log:1"}]}`)
	after := []byte(`{"containers": [{"name": "proxy", "image": "proxy:2"}, {"name": "web", "image": "web:1.5"}, {"name": "log", "image": "log:1"}]}`)

	changes, err := diff.Changes(before, after, diff.ViewOptions{ResourceType: "Kubernetes::core::Pod"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(diff.Summary(changes))
	if err := diff.Render(os.Stdout, changes, false); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 1 changed, 1 added
	// /containers
	//   + [name=proxy]: {"image":"proxy:2","name":"proxy"}
	// /containers/[name=web]
	//   ~ image: "web:1.4" → "web:1.5"
}

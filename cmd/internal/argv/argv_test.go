package argv_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/varvehq/varve/cmd/internal/argv"
)

// choice is a flag whose type lists its values.
type choice struct{ string }

func (c *choice) Set(s string) error { c.string = s; return nil }
func (c *choice) String() string     { return c.string }
func (c *choice) Type() string       { return "table|json" }

// program has `get TYPE ID` and `path TYPE ID TYPE ID`, which take ids, and
// `list`, which does not.
func program(ran *[]string) *cobra.Command {
	root := &cobra.Command{Use: "varve", SilenceErrors: true, SilenceUsage: true}
	root.PersistentFlags().VarP(&choice{}, "output", "o", "")
	root.PersistentFlags().String("addr", "", "")
	run := func(cmd *cobra.Command, args []string) error {
		*ran = append([]string{cmd.Name()}, args...)
		return nil
	}

	get := &cobra.Command{Use: "get", Args: cobra.ArbitraryArgs, RunE: run}
	get.Flags().String("at", "", "")
	get.Flags().Bool("all", false, "")
	argv.IDAt(get, 1)
	list := &cobra.Command{Use: "list", Args: cobra.ArbitraryArgs, RunE: run}
	path := &cobra.Command{Use: "path", Args: cobra.ArbitraryArgs, RunE: run}
	argv.IDAt(path, 1, 3)
	root.AddCommand(get, path, list)
	return root
}

func TestArrange(t *testing.T) {
	tests := []struct{ line, want string }{
		{"get T id", "get T id"},
		{"get T -/name", "get T -/name"},
		{"get T -/name --at -2h", "get T -/name"},
		{"get --at -2h T -/name", "get T -/name"},
		{"get T --at=-2h -/name", "get T -/name"},
		{"-o json get T -/name", "get T -/name"},
		{"--addr -x get T -/name -o json", "get T -/name"},
		{"get T -ojson -/name", "get T -/name"},
		{"get T -o=json -/name", "get T -/name"},
		{"get T -other", "get T -other"},
		{"get T -odd -o json", "get T -odd"},
		{"get T --all -/name", "get T -/name"},
		{"get T --name", "get T --name"},
		{"get T - ", "get T -"},
		{"get T -- --at", "get T --at"},
		{"get -- T -o", "get T -o"},
		{"get T id -- more", "get T id more"},
		{"list x -o json y", "list x y"},
		{"path T -/a U -/b -o json", "path T -/a U -/b"},
		{"path T a --addr x U -b", "path T a U -b"},
	}
	for _, tt := range tests {
		t.Run(tt.line, func(t *testing.T) {
			var ran []string
			root := program(&ran)
			root.SetArgs(argv.Arrange(root, strings.Fields(tt.line)))
			if err := root.Execute(); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(ran, " "); got != tt.want {
				t.Errorf("ran %q, want %q", got, tt.want)
			}
		})
	}
}

func TestArrangeLeavesMistakes(t *testing.T) {
	for _, line := range []string{"get T id --unknown", "get -/T id", "nothing T -/x", "list -/x", "get T id --at"} {
		t.Run(line, func(t *testing.T) {
			var ran []string
			root := program(&ran)
			root.SetArgs(argv.Arrange(root, strings.Fields(line)))
			if err := root.Execute(); err == nil {
				t.Errorf("ran %q", ran)
			}
		})
	}
}

func TestArrangeHelp(t *testing.T) {
	root := program(new([]string))
	got := argv.Arrange(root, []string{"get", "T", "-h"})
	if want := []string{"get", "-h", "--", "T"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

package main

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/varvehq/varve/cmd/internal/argv"
	"github.com/varvehq/varve/cmd/internal/when"
)

// subject is the resource a question is about: TYPE ID and the flags that tell
// it from others of that name.
type subject struct {
	typ, id         string
	account, region optional
}

// optional is a flag for which the empty text is a value too.
type optional struct {
	text  string
	given bool
}

func (o *optional) String() string { return o.text }
func (o *optional) Type() string   { return "string" }

func (o *optional) Set(text string) error {
	o.text, o.given = text, true
	return nil
}

// value is nil where the flag is not given.
func (o *optional) value() *string {
	if !o.given {
		return nil
	}
	return &o.text
}

// bind makes a command take TYPE ID, --account and --region.
func (s *subject) bind(a *app, cmd *cobra.Command) {
	argv.IDAt(cmd, 1)
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 2 {
			s.typ, s.id = args[0], args[1]
			if s.typ == "" || s.id == "" {
				return usagef(cmd, "TYPE and ID must not be empty")
			}
			if !utf8.ValidString(s.typ + s.id) {
				return usagef(cmd, "TYPE and ID must be UTF-8")
			}
			return nil
		}
		for _, arg := range args {
			if strings.HasPrefix(arg, "--") && len(args) > 2 {
				return usagef(cmd, "unknown flag: %s", arg)
			}
		}
		if len(args) > 2 {
			return usagef(cmd, "TYPE and ID are needed, %d arguments are given", len(args))
		}
		return usagef(cmd, "TYPE and ID are needed, %s is given", []string{"neither", "only TYPE"}[len(args)])
	}
	cmd.ValidArgsFunction = completeResource(a, s)
	bindPlace(cmd, &s.account, &s.region)
}

func bindPlace(cmd *cobra.Command, account, region *optional) {
	cmd.Flags().Var(account, "account", "`ACCOUNT`, project or cluster of the resource; may be empty")
	cmd.Flags().Var(region, "region", "`REGION` of the resource; may be empty")
}

// moment is the point on both axes of time that a question is bound to.
type moment struct {
	at      when.Moment
	knownAt when.Known
}

func (m *moment) bind(cmd *cobra.Command) {
	cmd.Flags().Var(&m.at, "at", "the moment to ask about (default: the newest state)")
	bindKnown(cmd, &m.knownAt)
}

func bindKnown(cmd *cobra.Command, known *when.Known) {
	cmd.Flags().Var(known, "known-at", "ask what was known at a revision, or moment of recording (default: now)")
}

// noArgs is for commands which take flags only.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef(cmd, "no argument is expected, but %q is given", args[0])
	}
	return nil
}

// tagFilter is --tag k=v, any number of times.
type tagFilter []string

func (t *tagFilter) String() string { return strings.Join(*t, ",") }
func (t *tagFilter) Type() string   { return "KEY=VALUE" }

func (t *tagFilter) Set(text string) error {
	if !strings.Contains(text, "=") {
		return errors.New("a tag is written KEY=VALUE")
	}
	*t = append(*t, text)
	return nil
}

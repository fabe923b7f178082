// Package argv arranges a command line for cobra, so that a resource id which
// begins with a dash needs no quoting and no "--" before it.
//
//	varve get Kubernetes::rbac.authorization.k8s.io::ClusterRole -/view --at -2h
//
// A command says with [IDAt] at which positions among its arguments ids stand.
// There, a word which is not one of the command's flags is the id.
package argv

import (
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const idPositions = "varve.id-positions"

// IDAt marks a command as taking resource ids at positions among its arguments,
// counted from 0.
func IDAt(cmd *cobra.Command, positions ...int) {
	if cmd.Annotations == nil {
		cmd.Annotations = map[string]string{}
	}
	texts := make([]string, len(positions))
	for i, p := range positions {
		texts[i] = strconv.Itoa(p)
	}
	cmd.Annotations[idPositions] = strings.Join(texts, ",")
}

// takesIDAt reports whether an id stands at a position.
func takesIDAt(cmd *cobra.Command, position int) bool {
	return slices.Contains(strings.Split(cmd.Annotations[idPositions], ","), strconv.Itoa(position))
}

// Arrange returns args with the flags of the command first, then "--", then its
// arguments. What is no command line of a command marked by IDAt comes back as
// it is.
//
// A one-letter flag with its value attached (-ojson) is only taken for that if
// the flag's type lists the value (table|json); otherwise it is the id.
func Arrange(root *cobra.Command, args []string) []string {
	var path, flags, operands []string
	cmd := root
	for i := 0; i < len(args); i++ {
		word := args[i]
		switch {
		case word == "--":
			operands = append(operands, args[i+1:]...)
			i = len(args)
		case len(word) > 1 && word[0] == '-':
			known, takesNext := lookUp(cmd, word)
			if !known && takesIDAt(cmd, len(operands)) {
				operands = append(operands, word)
				continue
			}
			flags = append(flags, word)
			if takesNext {
				if i++; i == len(args) {
					return slices.Concat(path, flags) // cobra misses the value
				}
				flags = append(flags, args[i])
			}
		case cmd.HasSubCommands():
			child := childOf(cmd, word)
			if child == nil {
				return args
			}
			cmd, path = child, append(path, word)
		default:
			operands = append(operands, word)
		}
	}
	if cmd.Annotations[idPositions] == "" {
		return args
	}
	return slices.Concat(path, flags, []string{"--"}, operands)
}

func childOf(cmd *cobra.Command, name string) *cobra.Command {
	for _, c := range cmd.Commands() {
		if c.Name() == name || c.HasAlias(name) {
			return c
		}
	}
	return nil
}

// lookUp tells whether a word is a flag of the command, and whether the next
// word is its value.
func lookUp(cmd *cobra.Command, word string) (known, takesNext bool) {
	cmd.InitDefaultHelpFlag()
	if long, ok := strings.CutPrefix(word, "--"); ok {
		name, _, hasValue := strings.Cut(long, "=")
		f := find(cmd, func(s *pflag.FlagSet) *pflag.Flag { return s.Lookup(name) })
		return f != nil, f != nil && !hasValue && f.NoOptDefVal == ""
	}

	letter, value := word[1:2], word[2:]
	f := find(cmd, func(s *pflag.FlagSet) *pflag.Flag { return s.ShorthandLookup(letter) })
	switch {
	case f == nil:
		return false, false
	case value == "":
		return true, f.NoOptDefVal == ""
	}
	listed := strings.Split(f.Value.Type(), "|")
	return len(listed) > 1 && slices.Contains(listed, strings.TrimPrefix(value, "=")), false
}

func find(cmd *cobra.Command, look func(*pflag.FlagSet) *pflag.Flag) *pflag.Flag {
	if f := look(cmd.Flags()); f != nil {
		return f
	}
	for ; cmd != nil; cmd = cmd.Parent() {
		if f := look(cmd.PersistentFlags()); f != nil {
			return f
		}
	}
	return nil
}

package graph

import (
	"bytes"
	"strings"
)

// Terraform's blocks are known by their address: aws_subnet.a, data.aws_ami.b,
// module.c. The id of one is its address, or PLACE:ADDRESS; addresses mean
// blocks of the same place. What a module holds has module.NAME. before it, and
// what was made of a counted block has [KEY] after it.

// addressAt finds where the address begins in an id. A colon in the key of an
// instance, module.a["x:y"], does not end the place.
func addressAt(id string) int {
	end := len(id)
	if i := strings.IndexByte(id, '['); i >= 0 {
		end = i
	}
	return strings.LastIndexByte(id[:end], ':') + 1
}

// bearAddress lets the instances of a counted block be found by the block's
// address.
func (x *extractor) bearAddress() {
	id := x.key.ID
	if at := addressAt(id); strings.HasSuffix(id, "]") {
		if open := strings.LastIndexByte(id, '['); open > at {
			x.bear('n', x.key.Type, id[:open])
		}
	}
}

// expressions notes a reference for every block that the ${…} and %{…} in a
// string name.
func (x *extractor) expressions(raw []byte) {
	for rest := raw; ; {
		i := bytes.IndexByte(rest, '{')
		if i < 0 {
			return
		}
		if i > 0 && (rest[i-1] == '$' || rest[i-1] == '%') {
			break
		}
		rest = rest[i+1:]
	}
	x.templates("References", view(x.plainText(raw)))
}

// templates reads a text up to its end: of the text, what is inside ${…} and
// %{…}. $${ and %%{ are the characters themselves.
func (x *extractor) templates(name, text string) {
	for i := 0; i+1 < len(text); i++ {
		if c := text[i]; c != '$' && c != '%' {
			continue
		}
		switch {
		case text[i+1] == text[i]:
			i++
			if i+1 < len(text) && text[i+1] == '{' {
				i++
			}
		case text[i+1] == '{':
			i += 1 + x.expression(name, text[i+2:])
		}
	}
}

// expression reads an expression up to the brace that closes it, or to the end
// of the text, and returns the length of what it read.
func (x *extractor) expression(name, text string) int {
	depth := 0
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == '}':
			if depth == 0 {
				return i + 1
			}
			depth--
			i++
		case c == '{':
			depth++
			i++
		case c == '"':
			i += 1 + x.quoted(name, text[i+1:])
		case c == '#', c == '/' && strings.HasPrefix(text[i:], "//"):
			n := strings.IndexByte(text[i:], '\n')
			if n < 0 {
				return len(text)
			}
			i += n
		case isLetter(c):
			n := chainEnd(text[i:])
			x.chain(name, text[i:i+n])
			i += n
		case c == '.' || c >= '0' && c <= '9':
			// An attribute of something, or a number: no address begins here.
			i++
			for i < len(text) && (isLetter(text[i]) || text[i] >= '0' && text[i] <= '9' || text[i] == '.' || text[i] == '-' || text[i] == '*') {
				i++
			}
		default:
			i++
		}
	}
	return len(text)
}

// quoted reads a string inside an expression, with the expressions in it.
func (x *extractor) quoted(name, text string) int {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			i++
		case c == '"':
			return i + 1
		case (c == '$' || c == '%') && i+1 < len(text) && text[i+1] == c:
			i++
		case (c == '$' || c == '%') && i+1 < len(text) && text[i+1] == '{':
			i += 1 + x.expression(name, text[i+2:])
		}
	}
	return len(text)
}

// chainEnd is the length of names with dots between them.
func chainEnd(text string) int {
	i := 0
	for i < len(text) {
		switch c := text[i]; {
		case isLetter(c), c >= '0' && c <= '9', c == '-', c == '.':
			i++
			continue
		}
		break
	}
	return i
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }

// chain notes a reference if names with dots between them begin with the
// address of a block. Variables, locals and what loops define are none.
func (x *extractor) chain(name, text string) {
	first, rest, _ := strings.Cut(text, ".")
	second, rest, more := strings.Cut(rest, ".")
	if second == "" || !isLetter(second[0]) {
		return
	}
	typ, address := first, text[:len(first)+1+len(second)]
	switch {
	case first == "module":
	case first == "data":
		third, _, _ := strings.Cut(rest, ".")
		if !more || third == "" || !isLetter(third[0]) {
			return
		}
		typ, address = address, text[:len(address)+1+len(third)]
	case strings.IndexByte(first, '_') <= 0:
		return
	}
	x.block(name, typ, address)
}

// block notes a reference to the block of an address: the one resource that has
// it for an id, or the instances which bear it as a name.
func (x *extractor) block(name, typ, address string) {
	x.identified(name, false, identifier{kind: 'n', typ: typ, before: x.base, text: address, reach: SameAccount})
}

// address notes a reference to what a state calls by its address.
func (x *extractor) address(name, text string) {
	if i := strings.IndexByte(text, '['); i >= 0 {
		text = text[:i]
	}
	parts := strings.Split(text, ".")
	for len(parts) > 2 && parts[0] == "module" {
		parts = parts[2:]
	}
	typ := parts[0]
	switch {
	case len(parts) < 2:
		return
	case typ == "data" && len(parts) > 2:
		typ = "data." + parts[1]
	}
	x.block(name, typ, text)
}

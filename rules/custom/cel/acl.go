package cel

import (
	"regexp"
	"slices"
	"strings"

	gocel "cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// grants are functions of access control lists of S3, and of keys.
func grants() []gocel.EnvOption {
	return []gocel.EnvOption{
		function("s3.publicGrants", takes(gocel.DynType), gocel.ListType(gocel.StringType), func(args ...ref.Val) ref.Val {
			return publicGrants(args[0])
		}),
		function("kms.same", takes(gocel.StringType, gocel.StringType), gocel.BoolType, func(args ...ref.Val) ref.Val {
			a, ok := args[0].(types.String)
			b, isText := args[1].(types.String)
			if !ok || !isText {
				return types.NoSuchOverloadErr()
			}
			return types.Bool(sameKey(string(a), string(b)))
		}),
	}
}

// everybody is who anybody with or without an AWS account belongs to, as AWS Config
// writes it, or S3 itself: a URI that ends so.
var everybody = regexp.MustCompile(`^(.*/)?(AllUsers|AuthenticatedUsers)$`)

// publicGrants are the permissions that a list grants to everybody: READ, WRITE,
// READ_ACP, WRITE_ACP, FULL_CONTROL.
func publicGrants(acl ref.Val) ref.Val {
	acl = unopt(acl)
	if text, ok := acl.(types.String); ok {
		if acl = decodeText(string(text)); types.IsError(acl) {
			return acl
		}
	}
	m, ok := lenient(acl).(traits.Mapper)
	if !ok {
		return types.NewErr("there is no access control list")
	}
	var found []string
	for _, name := range []string{"grantList", "grants", "grantSet"} {
		v, ok := m.Find(types.String(name))
		list, isList := v.(traits.Lister)
		if !ok || !isList {
			continue
		}
		for it := list.Iterator(); it.HasNext() == types.True; {
			permission, public := grantOf(it.Next())
			if public && !slices.Contains(found, permission) {
				found = append(found, permission)
			}
		}
	}
	return types.NewStringList(types.DefaultTypeAdapter, found)
}

func grantOf(v ref.Val) (permission string, public bool) {
	grant, ok := v.(traits.Mapper)
	if !ok {
		return "", false
	}
	grantee, _ := grant.Find(types.String("grantee"))
	if m, ok := grantee.(traits.Mapper); ok {
		grantee, _ = m.Find(types.String("uri"))
	}
	who, _ := grantee.(types.String)
	what, _ := grant.Find(types.String("permission"))
	word, _ := what.(types.String)
	return permissionWord(string(word)), everybody.MatchString(string(who))
}

// permissionWord is FULL_CONTROL of FullControl.
func permissionWord(word string) string {
	if strings.ToUpper(word) == word {
		return word
	}
	var b strings.Builder
	for i, r := range word {
		if i > 0 && 'A' <= r && r <= 'Z' {
			b.WriteByte('_')
		}
		b.WriteRune(r)
	}
	return strings.ToUpper(b.String())
}

// sameKey reports whether two names of a KMS key mean the same one, as far as they
// tell: an id and an ARN, which holds it, do.
func sameKey(a, b string) bool {
	if strings.HasPrefix(a, "arn:") && strings.HasPrefix(b, "arn:") {
		return a == b
	}
	return a != "" && keyID(a) == keyID(b)
}

// keyID is the id, or alias/name, at the end of an ARN.
func keyID(name string) string {
	if strings.HasPrefix(name, "arn:") {
		name = name[strings.LastIndexByte(name, ':')+1:]
	}
	return strings.TrimPrefix(name, "key/")
}

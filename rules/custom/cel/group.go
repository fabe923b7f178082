package cel

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	gocel "cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// permissionMembers are what the functions that find permissions read.
var permissionMembers = map[string][]string{
	"sg.ingress": {"ipPermissions", "securityGroupIngress"},
	"sg.egress":  {"ipPermissionsEgress", "securityGroupEgress"},
}

// groups are functions of security groups. A permission is what AWS Config records
// (ipProtocol, fromPort, toPort, ipRanges: texts, ipv4Ranges, ipv6Ranges), what the
// service answers (IpRanges: [{CidrIp}], Ipv6Ranges: [{CidrIpv6}]), or what
// CloudFormation says (IpProtocol, CidrIp, CidrIpv6).
func groups() []gocel.EnvOption {
	permissions := func(name string) gocel.EnvOption {
		members := permissionMembers[name]
		return fixed(name, takes(gocel.DynType), gocel.ListType(gocel.DynType), func(args ...ref.Val) ref.Val {
			return permissionsOf(args[0], members)
		})
	}
	return []gocel.EnvOption{
		permissions("sg.ingress"),
		permissions("sg.egress"),
		function("sg.sources", takes(gocel.DynType), gocel.ListType(gocel.StringType), func(args ...ref.Val) ref.Val {
			p, err := newPermission(args[0])
			if err != nil {
				return types.WrapErr(err)
			}
			sources, err := p.sources(nil)
			if err != nil {
				return types.WrapErr(err)
			}
			return types.NewStringList(types.DefaultTypeAdapter, sources)
		}),
		function("sg.world", takes(gocel.DynType), gocel.BoolType, func(args ...ref.Val) ref.Val {
			p, err := newPermission(args[0])
			if err != nil {
				return types.WrapErr(err)
			}
			var few [8]string
			sources, err := p.sources(few[:0])
			if err != nil {
				return types.WrapErr(err)
			}
			for _, source := range sources {
				n, err := parsePrefix(source)
				if err != nil {
					return types.WrapErr(err)
				}
				if n.Bits() == 0 {
					return types.True
				}
			}
			return types.False
		}),
		function("sg.covers", takes(gocel.DynType, gocel.StringType, gocel.IntType), gocel.BoolType, func(args ...ref.Val) ref.Val {
			p, err := newPermission(args[0])
			if err != nil {
				return types.WrapErr(err)
			}
			protocol, isText := args[1].(types.String)
			port, isPort := args[2].(types.Int)
			if !isText || !isPort {
				return types.NoSuchOverloadErr()
			}
			return types.Bool(p.concerns(string(protocol)) && p.ports.from <= int64(port) && int64(port) <= p.ports.to)
		}),
		function("sg.within", takes(gocel.DynType, gocel.StringType, gocel.ListType(gocel.StringType)), gocel.BoolType, func(args ...ref.Val) ref.Val {
			p, err := newPermission(args[0])
			if err != nil {
				return types.WrapErr(err)
			}
			protocol, isText := args[1].(types.String)
			list, isList := args[2].(traits.Lister)
			if !isText || !isList {
				return types.NoSuchOverloadErr()
			}
			allowed, err := portsOf(list)
			if err != nil {
				return types.WrapErr(err)
			}
			return types.Bool(!p.concerns(string(protocol)) || p.ports.within(allowed))
		}),
	}
}

func permissionsOf(v ref.Val, members []string) ref.Val {
	if v = unopt(v); v == nil {
		return types.NewErr("there is no configuration to find %s in", members[0])
	}
	m, ok := lenient(v).(traits.Mapper)
	if !ok {
		return types.NewErr("a %s has no %s", v.Type().TypeName(), members[0])
	}
	for _, name := range members {
		found, ok := m.Find(types.String(name))
		if !ok {
			continue
		}
		if list, ok := found.(traits.Lister); ok {
			return list.(ref.Val)
		}
		return types.NewRefValList(types.DefaultTypeAdapter, []ref.Val{found}) // CloudFormation takes one without a list
	}
	return types.NewErr("no such key: %s", members[0])
}

type ports struct{ from, to int64 }

var allPorts = ports{0, 65535}

// permission is what one lets through.
type permission struct {
	traits.Mapper
	protocol string // -1, tcp, udp, icmp, icmpv6 or a number
	ports    ports
}

// Names of members, which would take memory each time that they are looked for.
var (
	ipProtocol, fromPort, toPort ref.Val = types.String("ipProtocol"), types.String("fromPort"), types.String("toPort")
	cidrIP, cidrIPv6             ref.Val = types.String("cidrIp"), types.String("cidrIpv6")

	sourceMembers = [...]ref.Val{types.String("ipRanges"), types.String("ipv4Ranges"), types.String("ipv6Ranges"), cidrIP, cidrIPv6}
)

func newPermission(v ref.Val) (p permission, err error) {
	m, ok := lenient(v).(traits.Mapper)
	if !ok {
		return p, fmt.Errorf("a %s is no permission of a security group", v.Type().TypeName())
	}
	found, ok := m.Find(ipProtocol)
	if !ok {
		return p, fmt.Errorf("no such key: ipProtocol")
	}
	p = permission{m, protocolOf(found), allPorts}
	from, hasFrom, err := portOf(m, fromPort)
	if err != nil {
		return p, err
	}
	to, hasTo, err := portOf(m, toPort)
	if err != nil {
		return p, err
	}
	if hasFrom && hasTo && from != -1 && p.protocol != "-1" {
		p.ports = ports{from, to}
	}
	return p, nil
}

// protocols are the numbers that have names.
var protocols = map[string]string{"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6", "all": "-1"}

func protocolOf(v ref.Val) string {
	text := strings.ToLower(scalar(v))
	if name, ok := protocols[text]; ok {
		return name
	}
	return text
}

func (p *permission) concerns(protocol string) bool {
	return p.protocol == "-1" || p.protocol == protocolOf(types.String(protocol))
}

func portOf(m traits.Mapper, name ref.Val) (int64, bool, error) {
	v, ok := m.Find(name)
	if !ok {
		return 0, false, nil
	}
	switch n := v.(type) {
	case types.Int:
		return int64(n), true, nil
	case types.Double:
		return int64(n), float64(int64(n)) == float64(n), nil
	case types.String:
		i, err := strconv.ParseInt(string(n), 10, 64)
		if err != nil {
			return 0, false, fmt.Errorf("%s is %.40q, which is no port", name, string(n))
		}
		return i, true, nil
	}
	return 0, false, fmt.Errorf("%s is a %s, which is no port", name, v.Type().TypeName())
}

// sources adds the address ranges of a permission, each once: ipRanges and ipv4Ranges
// say the same.
func (p *permission) sources(all []string) ([]string, error) {
	for _, name := range sourceMembers {
		v, ok := p.Find(name)
		if !ok {
			continue
		}
		list, ok := v.(traits.Lister)
		if !ok {
			var err error
			if all, err = addSource(all, v); err != nil {
				return nil, err
			}
			continue
		}
		n, _ := list.Size().(types.Int)
		for i := range n {
			var err error
			if all, err = addSource(all, list.Get(i)); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

func addSource(all []string, v ref.Val) ([]string, error) {
	source, err := sourceOf(v)
	if err == nil && !slices.Contains(all, source) {
		all = append(all, source)
	}
	return all, err
}

// sourceOf is the range of a text, or of an object with cidrIp or cidrIpv6.
func sourceOf(v ref.Val) (string, error) {
	if m, ok := v.(traits.Mapper); ok {
		if v, ok = m.Find(cidrIP); !ok {
			v, ok = m.Find(cidrIPv6)
		}
		if !ok {
			return "", fmt.Errorf("no such key: cidrIp")
		}
	}
	text, ok := v.(types.String)
	if !ok {
		return "", fmt.Errorf("a %s is no address range", v.Type().TypeName())
	}
	return string(text), nil
}

// portsOf reads "443" and "1024-2000"; each may be several with commas.
func portsOf(list traits.Lister) ([]ports, error) {
	var all []ports
	for it := list.Iterator(); it.HasNext() == types.True; {
		text, ok := it.Next().(types.String)
		if !ok {
			return nil, fmt.Errorf("ports are texts such as 443 or 1024-2000")
		}
		for part := range strings.SplitSeq(string(text), ",") {
			if part = strings.TrimSpace(part); part == "" {
				continue
			}
			low, high, isRange := strings.Cut(part, "-")
			if !isRange {
				high = low
			}
			from, err := strconv.ParseUint(strings.TrimSpace(low), 10, 16)
			to, err2 := strconv.ParseUint(strings.TrimSpace(high), 10, 16)
			if err != nil || err2 != nil || from > to {
				return nil, fmt.Errorf("%.40q are no ports; write them as 443 or 1024-2000", part)
			}
			all = append(all, ports{int64(from), int64(to)})
		}
	}
	return all, nil
}

// within reports whether each of the ports is one of those that are allowed.
func (p ports) within(allowed []ports) bool {
	at := p.from
	for moved := true; moved && at <= p.to; {
		moved = false
		for _, a := range allowed {
			if a.from <= at && at <= a.to {
				at, moved = a.to+1, true
			}
		}
	}
	return at > p.to
}

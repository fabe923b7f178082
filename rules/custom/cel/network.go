package cel

import (
	"fmt"
	"net/netip"
	"strings"

	gocel "cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// networks are functions of addresses, of either family. An address of one family
// is never in a network of the other.
func networks() []gocel.EnvOption {
	two := func(name string, holds func(a, b netip.Prefix) bool) gocel.EnvOption {
		return function(name, takes(gocel.StringType, gocel.StringType), gocel.BoolType, func(args ...ref.Val) ref.Val {
			a, err := prefixOf(args[0])
			if err != nil {
				return types.WrapErr(err)
			}
			b, err := prefixOf(args[1])
			if err != nil {
				return types.WrapErr(err)
			}
			return types.Bool(holds(a, b))
		})
	}
	return []gocel.EnvOption{
		two("net.contains", contains),
		two("net.overlaps", netip.Prefix.Overlaps),
		function("net.world", takes(gocel.StringType), gocel.BoolType, func(args ...ref.Val) ref.Val {
			p, err := prefixOf(args[0])
			if err != nil {
				return types.WrapErr(err)
			}
			return types.Bool(p.Bits() == 0)
		}),
	}
}

func contains(a, b netip.Prefix) bool { return a.Bits() <= b.Bits() && a.Contains(b.Addr()) }

func prefixOf(v ref.Val) (netip.Prefix, error) {
	text, ok := v.(types.String)
	if !ok {
		return netip.Prefix{}, fmt.Errorf("a %s is no address", v.Type().TypeName())
	}
	return parsePrefix(string(text))
}

// parsePrefix reads a CIDR, or an address as the network of it alone.
func parsePrefix(text string) (netip.Prefix, error) {
	if strings.Contains(text, "/") {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return netip.Prefix{}, fmt.Errorf("%.60q is no network: write it as 10.0.0.0/8 or 2001:db8::/32", text)
		}
		return unmapped(p).Masked(), nil
	}
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, fmt.Errorf("%.60q is no address: write it as 10.1.2.3 or 2001:db8::1", text)
	}
	a = a.Unmap()
	return netip.PrefixFrom(a, a.BitLen()), nil
}

// unmapped is a network of IPv4 where one is written as of IPv6: ::ffff:10.0.0.0/104.
func unmapped(p netip.Prefix) netip.Prefix {
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
		return netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	return p
}

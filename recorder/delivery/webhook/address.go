package webhook

import (
	"context"
	"fmt"
	"net/netip"
	"syscall"
)

// refused are the addresses that nobody is called at: those of the link, where
// machines find what configures them, and of the metadata services of clouds,
// which hand out credentials to whoever can be made to ask.
var refused = []struct {
	prefix netip.Prefix
	why    string
}{
	{netip.MustParsePrefix("169.254.0.0/16"), "link-local, where metadata services are"},
	{netip.MustParsePrefix("fe80::/10"), "link-local"},
	{netip.MustParsePrefix("fd00:ec2::/32"), "a metadata address of Amazon Web Services"},
	{netip.MustParsePrefix("fd20:ce::254/128"), "the metadata address of Google Cloud"},
	{netip.MustParsePrefix("168.63.129.16/32"), "the platform address of Azure"},
	{netip.MustParsePrefix("100.100.100.200/32"), "the metadata address of Alibaba Cloud"},
	{netip.MustParsePrefix("192.0.0.192/32"), "the metadata address of Oracle Cloud"},
	{netip.MustParsePrefix("fd00:c1::a9fe:a9fe/128"), "the metadata address of Oracle Cloud"},
	{netip.MustParsePrefix("100.96.0.96/32"), "the metadata address of Volcano Engine"},
	{netip.MustParsePrefix("fd00:42::42/128"), "the metadata address of Scaleway"},
	{netip.MustParsePrefix("0.0.0.0/8"), "no address of a receiver"},
	{netip.MustParsePrefix("224.0.0.0/4"), "multicast"},
	{netip.MustParsePrefix("ff00::/8"), "multicast"},
	{netip.MustParsePrefix("255.255.255.255/32"), "broadcast"},
}

// AddressError says that a URL leads to an address that nobody is called at.
type AddressError struct {
	Addr netip.Addr
	Why  string // what the address is
}

func (e *AddressError) Error() string {
	return fmt.Sprintf("address %s is %s; messages are not sent there", e.Addr, e.Why)
}

// allowed looks at every address before it is connected to, after whatever names
// stood for it: it is the dialer's Control.
func allowed(_ context.Context, _, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("address %q cannot be read; messages are not sent there", address)
	}
	return checkAddress(to.Addr())
}

// checkAddress refuses an address that nobody is called at, or that a gateway or
// the kernel turns into one.
func checkAddress(a netip.Addr) error {
	bare := a.WithZone("")
	if why := whyRefused(bare); why != "" {
		return &AddressError{a, why}
	}
	for _, inner := range embedded(bare) {
		if why := whyRefused(inner); why != "" {
			return &AddressError{a, fmt.Sprintf("another form of %s, %s", inner, why)}
		}
	}
	return nil
}

func whyRefused(a netip.Addr) string {
	for _, r := range refused {
		if r.prefix.Contains(a) {
			return r.why
		}
	}
	return ""
}

// Prefixes of IPv6 addresses that carry one of IPv4.
var (
	compatible = netip.MustParsePrefix("::/96")           // RFC 4291, but :: and ::1
	mapped     = netip.MustParsePrefix("::ffff:0:0/96")   // RFC 4291
	translated = netip.MustParsePrefix("::ffff:0:0:0/96") // RFC 2765
	nat64      = netip.MustParsePrefix("64:ff9b::/96")    // RFC 6052
	localNAT64 = netip.MustParsePrefix("64:ff9b:1::/48")  // RFC 8215: networks choose how far the prefix goes
	sixToFour  = netip.MustParsePrefix("2002::/16")       // RFC 3056
	teredo     = netip.MustParsePrefix("2001::/32")       // RFC 4380: server, and client with its bits turned over
)

// embedded are the IPv4 addresses that an IPv6 address carries, or may carry.
func embedded(a netip.Addr) []netip.Addr {
	if !a.Is6() {
		return nil
	}
	b := a.As16()
	at := func(i0, i1, i2, i3 int) netip.Addr { return netip.AddrFrom4([4]byte{b[i0], b[i1], b[i2], b[i3]}) }
	last := at(12, 13, 14, 15)
	switch {
	case a.IsLoopback():
		return nil
	case compatible.Contains(a), a.Is4In6(), mapped.Contains(a), translated.Contains(a), nat64.Contains(a):
		return []netip.Addr{last}
	case localNAT64.Contains(a):
		return meant(at(6, 7, 9, 10), at(7, 9, 10, 11), at(9, 10, 11, 12), last)
	case sixToFour.Contains(a):
		return []netip.Addr{at(2, 3, 4, 5)}
	case teredo.Contains(a):
		return []netip.Addr{at(4, 5, 6, 7), netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]})}
	case b[8]&^3 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe: // ISATAP, RFC 5214
		return []netip.Addr{last}
	}
	return nil
}

// meant drops those of several readings that make no sense, unless none does.
func meant(readings ...netip.Addr) []netip.Addr {
	var some []netip.Addr
	for _, a := range readings {
		if a.As4()[0] != 0 {
			some = append(some, a)
		}
	}
	if some == nil {
		return readings
	}
	return some
}

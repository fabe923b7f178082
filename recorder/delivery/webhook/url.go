package webhook

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/idna"

	"github.com/varvehq/varve/history"
)

// maxURL is the longest URL, in bytes.
const maxURL = 4096

// CheckURL refuses what no message can be posted to, as far as that can be told
// without asking the network: Invalid or TooLarge, with field, value and remedy.
// Names are looked up, and what they stand for is looked at, whenever a connection
// is made.
func CheckURL(raw string) error {
	_, err := parseURL(raw)
	return err
}

// parseURL reads a URL and writes its host in the usual way.
func parseURL(raw string) (*url.URL, error) {
	refuse := func(value, text string) (*url.URL, error) {
		if value != "" {
			value = strconv.Quote(plain(value, 64))
		}
		return nil, &history.Error{Kind: history.Invalid, Field: "target", Value: value, Text: text}
	}
	if len(raw) > maxURL {
		return nil, &history.Error{Kind: history.TooLarge, Field: "target", Text: fmt.Sprintf("has %d bytes; at most %d", len(raw), maxURL)}
	}
	u, err := url.Parse(raw)
	if err != nil { // whose text is of the URL, which may hold a secret
		return refuse("", "is not a URL; write https://host/path")
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return refuse(u.Scheme, "is not a scheme that webhooks have; write https://host/path, or http://")
	case u.Opaque != "" || u.Host == "":
		return refuse("", "has no host; write "+u.Scheme+"://host/path")
	case u.User != nil:
		return refuse("", "has a user name before the host, which is not sent; leave it out, a secret signs messages")
	case strings.Contains(raw, "#"):
		return refuse("", "has a fragment, which is not sent; leave out the # and what follows")
	case strings.HasSuffix(u.Host, ":"):
		return refuse(u.Host, "has a colon but no port; write both or none")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return refuse(u.Host, "has no such port; ports go from 1 to 65535")
		}
	}
	host, err := hostOf(u)
	if err != nil {
		return refuse(u.Hostname(), err.Error())
	}
	if port := u.Port(); port != "" {
		u.Host = net.JoinHostPort(host, port)
	} else if u.Host = host; strings.Contains(host, ":") {
		u.Host = "[" + host + "]"
	}
	return u, nil
}

// hostOf is the host in lower case and ASCII. Its error is the rest of a sentence
// that begins with the host.
func hostOf(u *url.URL) (string, error) {
	host := u.Hostname()
	if strings.HasPrefix(u.Host, "[") {
		a, err := netip.ParseAddr(host)
		switch {
		case err != nil || !a.Is6():
			return "", fmt.Errorf("is not an address of IPv6")
		case a.Zone() != "":
			return "", fmt.Errorf("has a zone; only link-local addresses have, and messages are not sent there")
		}
		return a.String(), checkAddress(a)
	}

	name, err := idna.Lookup.ToASCII(host)
	if isASCII(host) { // as browsers and resolvers do, take underscores and the like as they are
		name, err = strings.ToLower(host), nil
	}
	if err != nil {
		return "", fmt.Errorf("is not a name of a host")
	}
	if a, isNumber, err := looseIPv4(name); isNumber {
		switch {
		case err != nil:
			return "", err
		case checkAddress(a) != nil:
			return "", checkAddress(a)
		case a.String() != host:
			return "", fmt.Errorf("is an unusual way to write an address; write %s", a)
		}
		return host, nil
	}
	return name, checkName(strings.TrimSuffix(name, "."))
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

func checkName(name string) error {
	if len(name) > 253 {
		return fmt.Errorf("is too long for a name of a host; at most 253 bytes")
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return fmt.Errorf("is not a name of a host; use letters, digits and hyphens, with single dots between")
		}
	}
	return nil
}

// looseIPv4 reads an IPv4 address in all the ways in which C libraries and
// browsers do: of one to four numbers, decimal, octal or hexadecimal, of which
// the last one fills all the bytes that are left. isNumber tells whether they
// would take it for an address at all: its last part is a number.
func looseIPv4(host string) (a netip.Addr, isNumber bool, err error) {
	parts := strings.Split(strings.TrimSuffix(host, "."), ".")
	last := parts[len(parts)-1]
	hex, isHex := strings.CutPrefix(strings.ToLower(last), "0x")
	if last == "" || strings.Trim(last, "0123456789") != "" && !(isHex && strings.Trim(hex, "0123456789abcdef") == "") {
		return a, false, nil
	}
	wrong := fmt.Errorf("is neither a name nor an address; write an address as four numbers from 0 to 255")
	if len(parts) > 4 {
		return a, true, wrong
	}
	var value uint64
	for i, part := range parts {
		n, ok := looseNumber(part)
		most := uint64(0xff)
		if i == len(parts)-1 {
			most = 1<<(8*(5-len(parts))) - 1
		}
		if !ok || n > most {
			return a, true, wrong
		}
		if i == len(parts)-1 {
			value = value<<(8*(5-len(parts))) | n
		} else {
			value = value<<8 | n
		}
	}
	return netip.AddrFrom4([4]byte{byte(value >> 24), byte(value >> 16), byte(value >> 8), byte(value)}), true, nil
}

func looseNumber(s string) (uint64, bool) {
	base := 10
	switch {
	case strings.HasPrefix(s, "0x"), strings.HasPrefix(s, "0X"):
		if s, base = s[2:], 16; s == "" {
			return 0, true
		}
	case len(s) > 1 && s[0] == '0':
		s, base = s[1:], 8
	}
	if strings.Trim(s, "0123456789abcdefABCDEF") != "" { // signs and underscores
		return 0, false
	}
	n, err := strconv.ParseUint(s, base, 64)
	return n, err == nil
}

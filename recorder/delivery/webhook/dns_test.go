package webhook_test

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// serveDNS is a resolver that asks a name server of the test's own, over UDP.
// lookup gives the addresses of a name in lower case with its dot, or "=" and
// another name; asked says how often its addresses of that kind were asked for
// before.
func serveDNS(t testing.TB, lookup func(name string, asked int) []string) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var done sync.WaitGroup
	t.Cleanup(func() { conn.Close(); done.Wait() })
	done.Go(func() {
		asked := map[dnsmessage.Question]int{}
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if err := m.Unpack(buf[:n]); err != nil || len(m.Questions) != 1 {
				continue
			}
			q := m.Questions[0]
			answer := dnsmessage.Message{
				Header:    dnsmessage.Header{ID: m.ID, Response: true, Authoritative: true, RecursionAvailable: true},
				Questions: m.Questions,
			}
			name := strings.ToLower(q.Name.String())
			answer.Answers = resources(q.Name, q.Type, lookup, name, asked[q])
			asked[q]++
			if packed, err := answer.Pack(); err == nil {
				_, _ = conn.WriteTo(packed, from)
			}
		}
	})
	server := conn.LocalAddr().String()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", server)
	}}
}

func resources(owner dnsmessage.Name, kind dnsmessage.Type, lookup func(string, int) []string, name string, asked int) []dnsmessage.Resource {
	var list []dnsmessage.Resource
	for _, text := range lookup(name, asked) {
		if alias, ok := strings.CutPrefix(text, "="); ok {
			to := dnsmessage.MustNewName(alias)
			list = append(list, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: owner, Type: dnsmessage.TypeCNAME, Class: dnsmessage.ClassINET},
				Body:   &dnsmessage.CNAMEResource{CNAME: to},
			})
			list = append(list, resources(to, kind, lookup, alias, asked)...)
			continue
		}
		a := netip.MustParseAddr(text)
		h := dnsmessage.ResourceHeader{Name: owner, Type: kind, Class: dnsmessage.ClassINET}
		switch {
		case a.Is4() && kind == dnsmessage.TypeA:
			list = append(list, dnsmessage.Resource{Header: h, Body: &dnsmessage.AResource{A: a.As4()}})
		case a.Is6() && kind == dnsmessage.TypeAAAA:
			list = append(list, dnsmessage.Resource{Header: h, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
		}
	}
	return list
}

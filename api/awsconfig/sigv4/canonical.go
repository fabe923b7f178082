package sigv4

import (
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// canonicalRequest is what a signature covers, up to the digest of the body:
//
//	POST
//	/
//
//	content-type:application/x-amz-json-1.1
//	host:127.0.0.1:7421
//	x-amz-date:20260718T120000Z
//
//	content-type;host;x-amz-date
func canonicalRequest(r *http.Request, signed []string) (string, error) {
	path, err := canonicalPath(r.URL)
	if err != nil {
		return "", err
	}
	query, err := canonicalQuery(r.URL.RawQuery)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString(r.Method + "\n" + path + "\n" + query + "\n")
	covered := make(map[string]bool, len(signed))
	for _, name := range signed {
		value, ok := headerOf(r, name)
		if !ok {
			return "", refuse(invalid, "The signature covers the header '%s', which the request has not.", shorten(name))
		}
		covered[name] = true
		b.WriteString(name + ":" + value + "\n")
	}
	if !covered["host"] {
		return "", refuse(invalid, "'Host' must be a 'SignedHeader' in the AWS Authorization.")
	}
	for name := range r.Header {
		if low := strings.ToLower(name); strings.HasPrefix(low, "x-amz-") && !covered[low] {
			return "", refuse(invalid, "'%s' must be a 'SignedHeader' in the AWS Authorization.", shorten(name))
		}
	}
	b.WriteString("\n" + strings.Join(signed, ";") + "\n")
	return b.String(), nil
}

// headerOf is a header as it is signed. Two of them the HTTP server keeps elsewhere.
func headerOf(r *http.Request, name string) (string, bool) {
	if name == "host" {
		return r.Host, r.Host != ""
	}
	values, ok := r.Header[textproto.CanonicalMIMEHeaderKey(name)]
	if name == "content-length" && !ok && r.ContentLength >= 0 {
		return strconv.FormatInt(r.ContentLength, 10), true
	}
	plain := make([]string, len(values))
	for i, v := range values {
		plain[i] = trimAll(v)
	}
	return strings.Join(plain, ","), ok
}

// trimAll takes blanks from both ends, and all but one of those that follow each
// other within.
func trimAll(text string) string {
	text = strings.Trim(text, " ")
	if !strings.Contains(text, "  ") {
		return text
	}
	var b strings.Builder
	for i := range len(text) {
		if text[i] != ' ' || text[i-1] != ' ' {
			b.WriteByte(text[i])
		}
	}
	return b.String()
}

// canonicalPath is the path as it was sent, escaped once more. A target without one,
// such as a:b, *, or only a host, is not taken for the / that a client signs.
func canonicalPath(u *url.URL) (string, error) {
	path := u.EscapedPath()
	if !strings.HasPrefix(path, "/") {
		return "", refuse(invalid, "The target '%s' of the request has no path; send to /.", shorten(u.String()))
	}
	segments := strings.Split(path, "/")
	for i, s := range segments {
		segments[i] = escape(s)
	}
	return strings.Join(segments, "/"), nil
}

// canonicalQuery is a query with its names and values escaped as AWS does, in the
// order of their bytes.
func canonicalQuery(raw string) (string, error) {
	if raw == "" {
		return "", nil
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return "", refuse(invalid, "The query string cannot be read.")
	}
	var pairs [][]string
	for name, of := range values {
		for _, value := range of {
			pairs = append(pairs, []string{escape(name), escape(value)})
		}
	}
	slices.SortFunc(pairs, slices.Compare)
	lines := make([]string, len(pairs))
	for i, p := range pairs {
		lines[i] = p[0] + "=" + p[1]
	}
	return strings.Join(lines, "&"), nil
}

// escape is RFC 3986's: all but letters, digits and -._~ becomes %XX.
func escape(text string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(text) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~", c) >= 0:
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

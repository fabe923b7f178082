package settings

import (
	"crypto/sha256"
	"strings"
)

// arnOf is that of something of the owner's.
func arnOf(o Owner, what string) string {
	return "arn:aws:config:" + o.Region + ":" + o.Account + ":" + what
}

// shortID makes n of a-z and 0-9, which owner, kind and name decide: what is deleted and
// made anew has the same again. n is at most 32.
func shortID(n int, o Owner, kind, name string) string {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	sum := sha256.Sum256([]byte(strings.Join([]string{o.Account, o.Region, kind, name}, "\x00")))
	id := make([]byte, n)
	for i := range id {
		id[i] = letters[int(sum[i])%len(letters)]
	}
	return string(id)
}

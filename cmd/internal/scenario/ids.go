package scenario

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
)

// Identifiers nobody asks about by hand follow from names, so that adding a
// resource never changes another one's.

func digest(parts ...string) [sha256.Size]byte {
	return sha256.Sum256([]byte(strings.Join(parts, "\x00")))
}

// pick is a number below n.
func pick(n int, parts ...string) int {
	sum := digest(parts...)
	return int(binary.BigEndian.Uint32(sum[:4]) % uint32(n))
}

// ec2ID is an identifier such as subnet-0a1b2c3d4e5f60718.
func ec2ID(prefix, name string) string {
	sum := digest(prefix, name)
	return prefix + "-0" + hex.EncodeToString(sum[:8])
}

// iamID is an identifier such as AROA4XQ7M2KPZL5RNDTVB.
func iamID(prefix, name string) string {
	sum := digest(prefix, name)
	return prefix + base32.StdEncoding.EncodeToString(sum[:])[:17]
}

func uuid(parts ...string) string {
	sum := digest(parts...)
	sum[6] = sum[6]&0x0f | 0x40
	sum[8] = sum[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// codeHash is the hash of a function's code as Lambda shows it.
func codeHash(parts ...string) string {
	sum := digest(parts...)
	return base64.StdEncoding.EncodeToString(sum[:])
}

func ec2ARN(resource string) string {
	return "arn:aws:ec2:" + Region + ":" + Account + ":" + resource
}

func iamARN(resource string) string {
	return "arn:aws:iam::" + Account + ":" + resource
}

// A statement is one of a policy document.
type statement struct {
	Sid       string `json:",omitempty"`
	Effect    string
	Principal any `json:",omitempty"`
	Action    any
	Resource  any `json:",omitempty"`
	Condition any `json:",omitempty"`
}

// policyText is a policy document as buckets, queues and keys show it.
func policyText(statements ...statement) string {
	return string(encode(struct {
		Version   string
		Statement []statement
	}{"2012-10-17", statements}))
}

// policyEscaped is a policy document as IAM shows it.
func policyEscaped(statements ...statement) string {
	return strings.ReplaceAll(url.QueryEscape(policyText(statements...)), "+", "%20")
}

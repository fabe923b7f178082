package config

import (
	"errors"

	"github.com/varvehq/varve/cmd/internal/accesskey"
)

// AWS is who may ask in AWS Config's protocol.
type AWS struct {
	Auth     string `yaml:"auth"`
	KeysFile string `yaml:"keys_file" path:""`
	Account  string `yaml:"account"`
}

// What AWS.Auth may be.
const (
	SigV4  = "sigv4" // whoever signs with a key of the file
	NoAuth = "none"  // everybody
)

func (a AWS) check(l Listen, auth Auth) error {
	if a.Auth != SigV4 && a.Auth != NoAuth {
		return errorf("aws.auth", "%q is not a way to know callers; choose sigv4 or none", a.Auth)
	}
	if !accesskey.IsAccount(a.Account) {
		return errorf("aws.account", "%q is not an account: that has 12 digits", a.Account)
	}
	if a.Auth == SigV4 {
		return nil
	}
	if host, _, err := splitAddr(l.HTTP); err == nil && !isLoopback(host) {
		return errorf("aws.auth", "%v", Anyone(auth.TokenFile != "", false))
	}
	if err := Anyone(auth.TokenFile != "", true); err != nil {
		return errorf("aws.auth", "%v", err)
	}
	return nil
}

// Anyone tells why not just anyone may ask in AWS Config's protocol, where others
// have to show tokens or the HTTP port is not on loopback; nil if anyone may.
func Anyone(tokens, loopback bool) error {
	switch {
	case !loopback:
		return errors.New("none is for trials on this machine: with it everybody may ask and record who reaches the HTTP port, which is not on loopback; use sigv4 with a file of keys")
	case tokens:
		return errors.New("none would let everybody in without a token; use sigv4 with a file of keys, or leave the token file out")
	}
	return nil
}

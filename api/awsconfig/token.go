package awsconfig

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
)

// A result token says on which rule evaluations may be put, and about which resource
// it was given. It is signed with a secret of the store, so that nobody makes one but
// this door.
const (
	resultTokenForm = 1
	resultTokenMAC  = 16 // bytes of the signature
)

// tokenSecret is the document that holds the secret.
const (
	secrets     = "aws/secret"
	tokenSecret = "result-token"
)

// resultToken makes the token for a rule, about a resource.
func (d *Door) resultToken(ctx context.Context, r *ruleSeen, k history.Key) (string, error) {
	secret, err := d.tokenSecret(ctx)
	if err != nil {
		return "", err
	}
	about := strings.Join([]string{r.Owner.Account, r.Owner.Region, r.Recorded(), wholeKey(k)}, "\x00")
	b := append([]byte{resultTokenForm}, about...)
	return base64.RawURLEncoding.EncodeToString(append(b, signed(secret, b)...)), nil
}

// ruleOfToken is the rule of a token, which it may have been deleted since.
// InvalidResultTokenException if it is none.
func (d *Door) ruleOfToken(ctx context.Context, token string) (rules.Owner, string, error) {
	bad := refuse("InvalidResultTokenException", "The resultToken provided is invalid. Take one from the results of the rule: GetComplianceDetailsByConfigRule")
	secret, err := d.tokenSecret(ctx)
	if err != nil {
		return rules.Owner{}, "", err
	}
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) < 1+resultTokenMAC || b[0] != resultTokenForm {
		return rules.Owner{}, "", bad
	}
	b, mac := b[:len(b)-resultTokenMAC], b[len(b)-resultTokenMAC:]
	parts := strings.Split(string(b[1:]), "\x00")
	if !hmac.Equal(mac, signed(secret, b)) || len(parts) != 7 {
		return rules.Owner{}, "", bad
	}
	return rules.Owner{Account: parts[0], Region: parts[1]}, parts[2], nil
}

func signed(secret, b []byte) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write(b)
	return h.Sum(nil)[:resultTokenMAC]
}

// tokenSecret reads the secret, and makes it where there is none yet.
func (d *Door) tokenSecret(ctx context.Context) ([]byte, error) {
	doc, err := d.documents().Document(ctx, secrets, tokenSecret)
	if err == nil {
		return doc.Body, nil
	}
	if !errors.Is(err, history.NotFound) {
		return nil, err
	}
	secret := make([]byte, sha256.Size)
	rand.Read(secret)
	first := uint64(0)
	_, err = d.documents().PutDocuments(ctx, []history.DocumentWrite{{Collection: secrets, Name: tokenSecret, Body: secret, Expect: &first}})
	if errors.Is(err, history.Conflict) { // another was faster
		doc, err = d.documents().Document(ctx, secrets, tokenSecret)
		return doc.Body, err
	}
	return secret, err
}

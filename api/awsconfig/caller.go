package awsconfig

import (
	"errors"
	"net/http"

	"github.com/varvehq/varve/api/awsconfig/sigv4"
)

// Service is the name of AWS Config in the scopes of signatures.
const Service = "config"

// Caller is who is asking, and about which region.
type Caller struct {
	Account, Region string
	AccessKey       string // its id
}

// Authenticate looks at who sent a request before anything of its body is read, so
// that strangers fill no memory. What it returns tells who it was once the body is
// there. Errors are of type *Exception or *sigv4.Error.
type Authenticate func(r *http.Request) (prove func(body []byte) (Caller, error), err error)

// Signed believes what is signed with a key that the verifier knows: its account is
// the caller's. Tokens of sessions count for nothing, since no key here is of one.
func Signed(v *sigv4.Verifier) Authenticate {
	return func(r *http.Request) (func([]byte) (Caller, error), error) {
		claim, err := v.Read(r)
		if err != nil {
			return nil, err
		}
		return func(body []byte) (Caller, error) {
			signer, err := claim.Prove(body)
			if err != nil {
				return Caller{}, err
			}
			return Caller{Account: signer.Key.Account, Region: signer.Region, AccessKey: signer.Key.ID}, nil
		}, nil
	}
}

// UnsignedRegion is the region of requests without a signature, which say nothing
// of one.
const UnsignedRegion = "us-east-1"

// Anyone believes everybody to be of an account, with whatever key. The region is
// that of the signature's scope, which is held against nothing. Who signs nothing
// means UnsignedRegion.
func Anyone(account string) Authenticate {
	return func(r *http.Request) (func([]byte) (Caller, error), error) {
		caller := Caller{Account: account, Region: UnsignedRegion}
		a, err := sigv4.ReadAuthorization(r)
		var refused *sigv4.Error
		switch {
		case err == nil:
			caller.Region, caller.AccessKey = a.Region, a.KeyID
		case !errors.As(err, &refused) || refused.Code != sigv4.CodeMissing:
			return nil, err
		}
		return func([]byte) (Caller, error) { return caller, nil }, nil
	}
}

package server

import "context"

// Principal is who asks.
type Principal struct {
	Name string
}

// Local is everybody who reaches a daemon that asks nobody for a token.
var Local = Principal{Name: "local"}

type principalKey struct{}

// PrincipalFrom returns who asks, from the context of a request; the zero
// Principal elsewhere.
func PrincipalFrom(ctx context.Context) Principal {
	who, _ := ctx.Value(principalKey{}).(Principal)
	return who
}

// Authorizer decides who may call which method. It is asked once per call,
// before anything of the request is looked at.
type Authorizer interface {
	// Authorize returns nil, or why not: the text is shown to the client. The
	// method is a full gRPC name, such as /varve.v1.HistoryService/LookupItem.
	Authorize(ctx context.Context, who Principal, method string) error
}

// Everyone may call everything.
type Everyone struct{}

// Authorize implements Authorizer.
func (Everyone) Authorize(context.Context, Principal, string) error { return nil }

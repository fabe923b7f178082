// Package awsconfig is the door through which tools that know AWS Config come in:
// its own protocol (AWS JSON 1.1, a POST to / that names its operation in the
// header X-Amz-Target), its requests signed as AWS signs them, its shapes, words
// and errors. `aws configservice --endpoint-url` and the SDKs need know nothing
// else.
//
// Like every door it decides nothing: what is asked goes to the calls of the
// domain that the gRPC services make, and what they answer is told in the shapes
// of package shape. Where AWS Config has a semantics of its own, such as a
// recorder that must run before anything can be put through it, it is in package
// [github.com/varvehq/varve/recorder/settings] and binds those who come through
// this door only.
//
// # Who is asking
//
// A request is from an account, which its access key tells, and about a region,
// which stands in the scope of its signature: see package sigv4. It sees what is
// recorded for both. Resources of region "global", or of none, are seen in every
// region, those of no account in every account.
package awsconfig

// Package interop holds what is sent to subscribers against the readers that
// others wrote: everything in it is a test.
package interop

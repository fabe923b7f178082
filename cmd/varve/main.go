// Command varve is the time machine for infrastructure configuration: the
// daemon that records it, and the command line that asks.
package main

import "os"

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

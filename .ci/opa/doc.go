// Package opa runs one rule over one recorded past, by the product's back-test and
// by Rego (https://www.openpolicyagent.org), and compares what they find and how
// long they take.
//
//	OPA_VERSIONS=1000000 go -C .ci/opa test -run '^$' -bench . -benchtime 1x -timeout 1h
//
// Both read the same versions from the same store, on all cores, each resource by
// one read of its history. Rego gets a prepared query and documents whose numbers
// are not rounded.
package opa

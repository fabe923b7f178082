// Package opa runs one rule over one recorded past, by the product's back-test and
// by Rego (https://www.openpolicyagent.org), and compares what they find and how
// long they take.
//
//	OPA_VERSIONS=1000000 go -C .ci/opa test -run '^$' -bench . -benchtime 1x -timeout 1h
//
// A rule that finds in a version what it read in another one need not be evaluated
// again, so the share of versions counts in which the part changed that the rule
// reads; here no two resources have the same there, and none has again what it had
// before. Of 241 changes of security groups in histories that others recorded (209 in
// Terraform's sources, 32 in CloudFormation's templates and as the service answered)
// 31 were of the permissions: 13 %. Of the latter 32 alone 26 were, or 81 %. That every
// change is one of them is the worst case.
//
// Both read the same versions from the same store, on all cores, each resource by
// one read of its history. Rego gets a prepared query and documents whose numbers
// are not rounded.
package opa

// Package rulestest runs a rule over cases that people can read. They stand in the
// rule's file under cases, or beside restricted-ssh.yaml in restricted-ssh.cases.yaml:
//
//   - case: open to the world                # what it shows; required, and once only
//     rule: restricted-ssh                   # where the file has several rules
//     now: 2026-01-01T00:00:00Z              # the default
//     params: {port: 2222}                   # beside the rule's inputParameters
//     item:                                  # what is judged
//     type: AWS::EC2::SecurityGroup        # default: the rule's, if it has one only
//     id: sg-1                             # default: subject
//     configuration: {ipPermissions: []}
//     inventory: [{type: …, id: …}]          # other resources, linked with none
//     expect: NON_COMPLIANT
//     annotation: 0.0.0.0/0                  # a part of it
//
// An item has account (default 111122223333), region (eu-west-1), type, id, name,
// arn, availabilityZone, status, createdAt, capturedAt, tags, configuration,
// supplementary, relationships (lists of name, type, id, resourceName, account,
// region), and its neighbours, which are items likewise, in uses (what it uses) and
// usedBy. An item of which nothing but its key is given is the one of that key
// which is given elsewhere in the case. An item out of the rule's scope is expected
// to be NOT_APPLICABLE.
package rulestest

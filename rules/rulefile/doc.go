// Package rulefile reads rules from YAML files, in AWS Config's words where it has
// them:
//
//	name: restricted-ssh                   # required
//	description: No security group lets everybody in by SSH.
//	identifier: INCOMING_SSH_DISABLED      # a managed rule: it has its own judgement
//	resourceTypes: [AWS::EC2::SecurityGroup]
//	scope:                                 # all of it must fit; what is left out fits
//	  resourceTypes: […]                   # either here or above
//	  resourceIds: […]                     # with exactly one type
//	  tagKey: env
//	  tagValue: prod
//	  accounts: […]
//	  regions: […]
//	trigger: change                        # change, periodic or both: for show, see below
//	period: 24h                            # or TwentyFour_Hours; of one that reads the clock
//	parameters:                            # what the rule can be given
//	  port:
//	    type: int                          # String, int, double, boolean, CSV, StringMap
//	    description: That must not be open.
//	    default: 22
//	    required: true
//	inputParameters:                       # what it is given
//	  port: 2222
//	severity: high                         # low, medium, high or critical
//	mode: detective                        # detective, proactive or both
//	frameworks: [cis-aws-1.4/5.2]
//	applicable: config.state == "available"
//	compliant: |                           # expressions: see package custom/cel
//	  !sg.ingress(config).exists(p, sg.covers(p, "tcp", params.port))
//	annotation: '"port " + string(params.port) + " is open"'
//	external: false                        # true: verdicts are put, not computed
//	cases: […]                             # see package rulestest
//
// Every rule is evaluated when something changes that it looks at, within a second; one
// that reads the clock also at each multiple of its period since 1970, UTC. The trigger
// says how AWS Config goes about it, and delays nothing: a periodic rule says at once
// what AWS would say at the next tick, and one that does not read the clock could not
// say anything else then.
//
// Several rules stand in one file as documents, parted by a line of three hyphens.
// A key that is not known is refused, and every error tells line and column.
package rulefile

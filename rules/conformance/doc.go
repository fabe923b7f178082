// Package conformance reads conformance packs: named sets of managed rules, in AWS
// Config's own templates, unchanged.
//
// # What is read
//
// A template is YAML or JSON with Parameters, Conditions and Resources of the types
// AWS::Config::ConfigRule and AWS::Config::RemediationConfiguration. Ref, Fn::If,
// Fn::Join, Fn::Sub, Fn::Equals, Fn::Not, Fn::And, Fn::Or and Condition are understood
// in their long and short forms (!Ref), AWS::NoValue leaves out what it stands for, a
// resource whose Condition is false is left out. As with CloudFormation there are no aliases, merge
// keys and null values. A mistake is named by its key, line and column, the first one
// in the order of reading.
//
// # Nothing passes in silence
//
// A rule that cannot be judged is in the pack all the same, UNSUPPORTED, with the
// reason: an identifier that is not known or not implemented, a policy in Guard or a
// function of the user, a required parameter without a value, a pack parameter without
// a value, another of CloudFormation's functions.
// [rules.ProcessCheck] is a rule whose verdict is put.
// What is left out or not understood, but harms no rule that is judged, is a [Note].
//
// # Rules of one's own
//
// A custom policy may be a condition in CEL (see package custom/cel), which AWS does
// not take. Its InputParameters are parameters of type String:
//
//	Properties:
//	  ConfigRuleName: named
//	  Scope: {ComplianceResourceTypes: [AWS::EC2::Instance]}
//	  InputParameters: {prefix: prod-}
//	  Source:
//	    Owner: CUSTOM_POLICY
//	    CustomPolicyDetails:
//	      PolicyRuntime: cel
//	      PolicyText: resource.name.startsWith(params.prefix)
//
// # Status
//
// The rules of a pack may be joined to checks with a status, as on a traffic light.
// A rule says so in its Metadata, which AWS passes over:
//
//	Metadata:
//	  Varve:
//	    Check: Unrestricted ports   # shared by the rules of one check
//	    Status: red                 # of the check when this rule is not complied with; or yellow
//	    Severity: critical          # instead of the managed rule's own
//
// See [Pack.Checks] for how the status follows from the verdicts.
package conformance

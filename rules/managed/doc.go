// Package managed holds the managed rules: those of AWS Config, under its identifiers
// and with its parameters, each a file of data (see package rulefile) with its cases
// beside it.
//
// # Accounts
//
// Rules over an account judge its item of type AWS::::Account, whose id is the
// account. It holds what the services answer about the account as such. There is one
// item for each region that is looked at, as AWS Config's rules run in each; what is
// the same in all regions stands in each of them. Names are found in any case. Its
// configuration:
//
//	passwordPolicy          IAM's GetAccountPasswordPolicy: minimumPasswordLength,
//	                        requireSymbols, requireNumbers, requireUppercaseCharacters,
//	                        requireLowercaseCharacters, maxPasswordAge,
//	                        passwordReusePrevention; null: the account has none
//	root.accessKeys         how many access keys the root user has
//	root.mfaEnabled         whether the root user has a second factor
//	root.virtualMfa         whether that is a virtual device
//	publicAccessBlock       S3 Control's GetPublicAccessBlock: blockPublicAcls,
//	                        ignorePublicAcls, blockPublicPolicy, restrictPublicBuckets;
//	                        null: the account has none
//	ebsEncryptionByDefault  EC2's GetEbsEncryptionByDefault
//	publicEbsSnapshots      ids of the account's snapshots that everybody may restore
//	securityHub             Security Hub's DescribeHub: hubArn; null: not enabled
//	guardDuty               of the detector in the region: detectorId, status (ENABLED or
//	                        DISABLED), administratorAccountId if another account
//	                        manages it; null: there is none
//
// A rule about a member that the item does not have gives ERROR: what was not
// collected is not known. Trails, flow logs and other resources that a rule over an
// account needs are sought among the recorded ones of that account.
package managed

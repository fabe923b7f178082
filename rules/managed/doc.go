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
//
// # Users
//
// Items of type AWS::IAM::User do not hold what rules ask of credentials. They are
// sought in their supplementary configuration:
//
//	credentialReport  the user's line of IAM's credential report, by the names of its
//	                  columns: password_enabled, password_last_used,
//	                  password_last_changed, mfa_active, access_key_1_active,
//	                  access_key_1_last_rotated, access_key_1_last_used_date, and the
//	                  same of access_key_2
//	accessKeys        IAM's ListAccessKeys: a list of accessKeyId, status, createDate
//	mfaDevices        IAM's ListMFADevices: a list of serialNumber
//
// A rule that can do with accessKeys or mfaDevices takes them before the report.
//
// # Web ACLs
//
// Of a load balancer the supplementary webAcl, WAFv2's GetWebACLForResource, and of a
// web ACL loggingConfiguration, WAFv2's GetLoggingConfiguration, are asked for first;
// then items of type AWS::WAFRegional::WebACL, AWS::WAFv2::WebACLAssociation and
// AWS::WAFv2::LoggingConfiguration.
package managed

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
//
// # What is set up
//
// Configuration recorders, delivery channels, retention, stored queries and tags are
// put, described and deleted in the order, with the defaults and with the refusals
// of AWS Config. They are the owner's, an account in a region, and bind nobody who
// comes through another door. What differs:
//
//   - All resource types are supported, and any text is one. A recorder of all types
//     leaves out the global ones of IAM, unless it is put to include them.
//   - Roles are kept and told, not assumed; a role that is no ARN is refused. Topics
//     are kept, and nothing is sent to them: the stream of a channel is
//     NOT_APPLICABLE. Notifications are subscriptions, through other doors.
//   - A recorder is PENDING until its first start, and SUCCESS at once when started.
//   - Names of recorders and channels are printable ASCII. A prefix of keys or an ARN
//     that is empty is one that was not given.
//   - There are no recorders that are linked to services: PutConfigurationRecorder
//     answers UnmodifiableEntityException to what would be one.
//   - Retention hides from answers what was over before its period began, and deletes
//     nothing: varve prune does. Without one, 2557 days are shown.
//   - Stored queries are kept and not run; their expressions begin with SELECT, and
//     are not looked into further.
//   - Ids are decided by owner and name: what is deleted and put again has its ARN
//     again. A rule or a pack that another door deletes and puts again has its tags
//     again, too.
//
// # Configuration items
//
// GetResourceConfigHistory, BatchGetResourceConfig, ListDiscoveredResources and
// GetDiscoveredResourceCounts tell what was recorded through any door, by AWS
// Config itself and imported, by collectors, or by PutResourceConfig here. One type
// and id may be the name of several resources that a caller sees. History and
// batches mean the nearest: his account before no account, and within it his
// region before "global" before no region, whether that one lives or not. Lists
// and counts have all of them.
//
// An item that came from AWS Config goes out as it came: its state id, hash, related
// events, recording frequency, delivery time and schema version, the names of its
// relationships to the last blank. What others record has version 1.3, an empty
// hash, no related events, the capture in milliseconds as its state id, and the
// status that its place in the history gives. If it declares no relationships, and
// AWS Config would for its type, those are told that its configuration shows, in AWS
// Config's spelling; not those that AWS Config derives from the other's
// configuration, as of a security group its instances (AWS calls them indirect, and
// lets accounts do without): ask the program's own API what uses it.
//
// A configuration is the text of the canonical form: members sorted, no white
// space, every digit as it was recorded. So is each supplementary one; a string
// among them is text within text, as with AWS. The order of relationships, which
// are a set, is not kept. A name or tags that AWS Config left to the configuration
// are told. The account and region of a relationship have no member here.
//
// What differs from AWS Config, on purpose:
//
//   - Nobody needs a recorder to read. NoAvailableConfigurationRecorderException is
//     for callers who have none and see nothing at all.
//   - Two equal items in a row are one, with evidence for it at both times.
//   - A page of history is not bounded to seven days, and so never empty before the
//     last. Pages answer as of the first one, whatever is recorded meanwhile.
//   - Counts have resources of which only the existence is recorded
//     (ResourceNotRecorded), too.
//   - Keys of a batch are unprocessed if the answer would exceed 16 MiB.
//   - PutResourceConfig takes any type but those of the organizations amzn, amazon,
//     alexa and custom, types of AWS among them, and needs no schema: the version is
//     kept with the item, no member is taken for write-only.
//   - DeleteResourceConfig of what was never seen in the caller's account and region
//     is a ValidationException; of what is gone it says so again.
//
// PutResourceConfig and DeleteResourceConfig need the caller's recorder to run, as
// with AWS. Of a type that it does not record they keep that there is such a
// resource, or was, and nothing of it. They answer when what they recorded is
// durable; its capture is the moment of recording.
//
// # Rules
//
// Rules, their evaluation and compliance are those of the native API: what is put
// through one door is in force and seen through the other. A rule is the owner's; a
// rule of the whole installation, or of a pack, is seen and not changed. What
// differs from AWS Config:
//
//   - A managed rule is one that this version computes, or AWS_CONFIG_PROCESS_CHECK,
//     of packs as well, whose verdict on the account is put with PutExternalEvaluation.
//     Defaults of parameters hold for those who leave them out.
//   - A custom policy is a condition in CEL, true of what complies, with the
//     PolicyRuntime cel; InputParameters are params, as texts (see `varve help
//     rules`). Guard is refused. GetCustomRulePolicy answers that condition, of
//     whatever door the rule is.
//   - The function of a CUSTOM_LAMBDA rule is not invoked. Results of such a rule, of
//     which every recorded resource in its scope has one, carry a ResultToken in
//     GetComplianceDetails…; with it PutEvaluations puts verdicts on that rule, about
//     any resource in the rule's scope, recorded or not. Tokens do not expire.
//   - Names are made of A-Z a-z 0-9 _ . - and are up to 128 characters long in all
//     operations. An id is decided by owner and name. A rule of a pack is NAME-, then
//     the id of the pack. Of rules with one name the owner's own hides the others.
//   - A rule is described as it was put. PutConfigRule takes tags for a new rule only.
//     It needs a recorder, or something that was recorded through any door.
//   - Deleting is over when it is answered: nothing is ever DELETING.
//   - Rules are evaluated as things are recorded, shortly after. So
//     StartConfigRulesEvaluation changes no verdict but for those that were deleted.
//   - DeleteEvaluationResults takes results away from the answers of this door, and
//     deletes nothing: history is never forgotten. A result is there again when the
//     rule is put or started anew, when its period is over, when its resource
//     changes, or when an evaluation is put on it.
//   - A verdict ERROR is INSUFFICIENT_DATA, with what went wrong as the annotation
//     and in DescribeConfigRuleEvaluationStatus. A rule with no result that applies,
//     or with such a one and none that is NON_COMPLIANT, is INSUFFICIENT_DATA.
//     Results that are NOT_APPLICABLE are told where they are asked for.
//   - What is waived is NON_COMPLIANT, with the waiver in front of the annotation.
//   - The order of results is that of account, region, type and id; pages may be
//     shorter than asked for, or empty, and yet have a successor.
//
// What a resource complies with is told as an item of type
// AWS::Config::ResourceCompliance, too, in history, lists of what lives and batches;
// counts and snapshots have none. It is a view of the recorded verdicts, over all
// captured time; where such items were taken over from AWS, those are told instead.
//
// A resource that is proposed with StartResourceEvaluation is evaluated before the
// answer, for a minute at most, by the rules with the mode that is asked for: any
// rule may have PROACTIVE, but for those evaluated elsewhere. Tags are taken from its
// Tags; the supplementary configuration of a bucket from its properties, where it is
// versioned, logged, encrypted and closed to the public. Its policy is none of them. What came of it is kept for a week, and the newest 1,000 of an account and
// region.
//
// # Conformance packs
//
// Packs are those of the native API, put here or there, built in or not (see package
// conformance). A pack is the owner's; one of the whole installation is seen, judged
// and not changed. What differs from AWS Config:
//
//   - A pack is put as a whole or not at all, and in force when that is answered: its
//     state is CREATE_COMPLETE, and nothing is ever in use. The ARN of its stack is one
//     of no stack. What is put again as it is keeps the time of its last update.
//   - Rules that cannot be judged do not keep a pack from being put. How many, which
//     and why is the ConformancePackStatusReason; they are told of by
//     DescribeConformancePackCompliance as INSUFFICIENT_DATA, and are no ConfigRules.
//   - A mistake in a template is named by its key, line and column.
//   - Names are up to 128 characters long. A pack has up to 130 rules, and an owner up
//     to 50 packs, here; other doors have no such bounds.
//   - TemplateS3Uri is read from where the daemon has its buckets, by what the daemon
//     may read there; TemplateSSMDocumentDetails are refused. One template is given.
//     DeliveryS3Bucket and its prefix are kept and told, and nothing is delivered there.
//   - Remediations are kept with the pack, and not run.
//   - Filters may ask for INSUFFICIENT_DATA as well. A pack with a
//     rule that cannot be judged is never COMPLIANT in a summary, but INSUFFICIENT_DATA
//     at best. The score counts pairs of a rule
//     and a resource that the rule applies to, waived ones as not compliant, in per cent
//     with two digits.
//   - Names that mean no pack are passed over by DescribeConformancePackStatus and
//     ListConformancePackComplianceScores, which have no exception for them.
//
// # What is refused
//
// Who asks is found out before anything of the body is read. Codes that AWS has for
// every service are answered for what no operation has to do with: those of
// signatures, SerializationException for a body that is no JSON object or has a value
// of another type, RequestEntityTooLargeException beyond [MaxBody],
// UnknownOperationException for operations that are not offered, with the reason
// ([Reference] lists them), and InternalFailure, behind which the log knows more.
package awsconfig

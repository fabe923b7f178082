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
//   - Retention hides older items from answers and deletes nothing; without one, 2557
//     days are shown.
//   - Stored queries are kept and not run; their expressions begin with SELECT, and
//     are not looked into further.
//   - Ids are decided by owner and name: what is deleted and put again has its ARN
//     again. A rule or a pack that another door deletes and puts again has its tags
//     again, too.
package awsconfig

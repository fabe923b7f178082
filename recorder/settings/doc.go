// Package settings keeps what an owner, an account in a region, has set up for its
// recording in AWS Config's terms: the configuration recorder and whether it runs,
// the delivery channel and how its deliveries went, how long history is shown, stored
// queries, and the tags of all that can have them.
//
// They are documents of the store, edited and not recorded, and say nothing about
// what is recorded through other doors: a recorder that is stopped stops nobody who
// speaks to the program in its own terms.
//
// An owner has at most one recorder and one channel, in an order: a channel needs a
// recorder, a recorder that is started needs a channel, and a channel stays as long as
// the recorder runs. What stands against a change is an [Error] with its [Refusal].
// Changes of one owner follow one another; of two that meet, the later begins anew
// from what the earlier left, but for stored queries, where it is refused.
package settings

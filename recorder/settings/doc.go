// Package settings keeps what an owner, an account in a region, has set up for its
// recording in AWS Config's terms: the configuration recorder and whether it runs,
// the delivery channel, how long history is shown, stored queries, and the tags of
// all of these.
//
// They are documents of the store, edited and not recorded, and say nothing about
// what is recorded through other doors: a recorder that is stopped stops nobody who
// speaks to the program in its own terms.
package settings

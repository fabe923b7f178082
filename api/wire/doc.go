// Package wire is where the messages of the protocol and the types of the
// domain meet, and the only place: XToProto and XFromProto for every X that
// crosses. It translates and decides nothing.
//
// Translated values may share memory with what they were made from. Errors are
// [history.Error]s that name the field as JSON spells it, such as `key.type` or
// `capturedAt`.
package wire

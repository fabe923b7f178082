// Package shape is what AWS Config's requests and answers look like on the wire:
// one struct a shape, whose tags are the only place where names, their case,
// types and limits stand. [Decode] and [Encode] read and write JSON by them, and
// Decode checks what a request may hold.
//
//	type PutRetentionConfigurationInput struct {
//		RetentionPeriodInDays int32 `aws:"RetentionPeriodInDays,required" check:"range=30..2557"`
//	}
//
// The tag aws begins with the member's name as it is on the wire and goes on with
//
//	required  the member must be there, and not be null
//	always    it is written even where it is empty, false or zero; of a list: as []
//
// The tag check holds, separated by semicolons and inclusive at both ends:
//
//	len=1..64       characters of a string
//	range=0..100    of a number
//	items=0..25     of a list, or pairs of a map
//	enum=A|B        the only values of a string
//	each.len=…      the same of the elements of a list, or the values of a map
//	key.len=…       of the keys of a map
//
// The tag pattern is a regular expression that a string, or each element of a
// list of them, must match whole.
//
// A member that is absent or null is the zero value of its field. Moments are
// seconds since the Unix epoch on the wire, with a fraction where they have one.
//
// Names and limits are those of the service's own model of 2014-11-12
// (https://docs.aws.amazon.com/config/latest/APIReference/), with two exceptions:
// a resource type may be any text, for there are more clouds than one; and what the
// service answers with an exception of its own, such as InvalidLimitException, is
// left to the operation.
package shape

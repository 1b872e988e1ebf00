package snapshot

import "fmt"

// Reason is the code under which a message stands in the rejected-messages queue. It travels as the
// message attribute reason_code; docs/failures.md says what a person does about each.
type Reason string

// The reasons for rejecting a message instead of counting it.
const (
	ReasonNotJSON           Reason = "NOT_JSON"           // the text is not one JSON value
	ReasonNotAnObject       Reason = "NOT_AN_OBJECT"      // JSON, but not an object
	ReasonRepeatedKey       Reason = "REPEATED_KEY"       // a key that decides something stands more than once
	ReasonNoRecords         Reason = "NO_RECORDS"         // an envelope whose Records hold nothing
	ReasonTooManyRecords    Reason = "TOO_MANY_RECORDS"   // an envelope of more records than are taken
	ReasonNoBody            Reason = "NO_BODY"            // a record of an envelope without a body
	ReasonIdentityInvalid   Reason = "IDENTITY_INVALID"   // a record's own messageId that cannot be one
	ReasonFieldMissing      Reason = "FIELD_MISSING"      // a required field is absent, null or empty
	ReasonFieldNotString    Reason = "FIELD_NOT_STRING"   // a required field is of another type
	ReasonFieldTooLong      Reason = "FIELD_TOO_LONG"     // a required field would not fit into a DynamoDB key
	ReasonFlagInvalid       Reason = "FLAG_INVALID"       // a flag that is neither true nor false
	ReasonUnknownCollection Reason = "UNKNOWN_COLLECTION" // the export status table has no row for it
	ReasonNotCounted        Reason = "NOT_COUNTED"        // counting failed for good; the state machine says so too
)

// Reasons lists all of them.
var Reasons = []Reason{ReasonNotJSON, ReasonNotAnObject, ReasonRepeatedKey, ReasonNoRecords, ReasonTooManyRecords,
	ReasonNoBody, ReasonIdentityInvalid, ReasonFieldMissing, ReasonFieldNotString, ReasonFieldTooLong,
	ReasonFlagInvalid,
	ReasonUnknownCollection, ReasonNotCounted}

// Rejection says why a message cannot be counted: a code for programs and a sentence for people.
type Rejection struct {
	Reason Reason
	Detail string
}

func (r *Rejection) Error() string { return string(r.Reason) + ": " + r.Detail }

func reject(reason Reason, format string, args ...any) *Rejection {
	return &Rejection{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

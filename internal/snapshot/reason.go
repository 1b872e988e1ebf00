package snapshot

import "fmt"

// Reason is the code with which a message is rejected. The rejected-messages queue has it as the message attribute
// reason_code; docs/failures.md says what to do about each.
type Reason string

// The reasons for rejecting a message instead of counting it.
const (
	ReasonNotJSON           Reason = "NOT_JSON"           // the text is not one JSON value
	ReasonNotAnObject       Reason = "NOT_AN_OBJECT"      // JSON, but not an object
	ReasonRepeatedKey       Reason = "REPEATED_KEY"       // a decisive key occurs more than once
	ReasonNoRecords         Reason = "NO_RECORDS"         // an envelope without records
	ReasonTooManyRecords    Reason = "TOO_MANY_RECORDS"   // an envelope of more than 3,000 records
	ReasonNoBody            Reason = "NO_BODY"            // a record of an envelope without a body
	ReasonIdentityInvalid   Reason = "IDENTITY_INVALID"   // an invalid messageId of a record
	ReasonFieldMissing      Reason = "FIELD_MISSING"      // a required field is absent, null or empty
	ReasonFieldNotString    Reason = "FIELD_NOT_STRING"   // a required field is of another type, or no valid text
	ReasonFieldTooLong      Reason = "FIELD_TOO_LONG"     // a required field exceeds the limit of a DynamoDB key
	ReasonFlagInvalid       Reason = "FLAG_INVALID"       // a flag that is neither true nor false
	ReasonUnknownCollection Reason = "UNKNOWN_COLLECTION" // the export status table has no row for it
	ReasonNotCounted        Reason = "NOT_COUNTED"        // counting failed for good; the state machine writes it too
)

// Reasons lists all reasons.
var Reasons = []Reason{ReasonNotJSON, ReasonNotAnObject, ReasonRepeatedKey, ReasonNoRecords, ReasonTooManyRecords,
	ReasonNoBody, ReasonIdentityInvalid, ReasonFieldMissing, ReasonFieldNotString, ReasonFieldTooLong,
	ReasonFlagInvalid, ReasonUnknownCollection, ReasonNotCounted}

// Rejection is why a message cannot be counted: a code for programs and a sentence for people.
type Rejection struct {
	Reason Reason
	Detail string
}

func (r *Rejection) Error() string { return string(r.Reason) + ": " + r.Detail }

func reject(reason Reason, format string, args ...any) *Rejection {
	return &Rejection{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

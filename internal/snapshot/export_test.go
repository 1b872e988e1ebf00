package snapshot

// ParseMessage reads the text of one plain message, as Unwrap does inside of what an execution brings.
func ParseMessage(body []byte) (Message, *Rejection) {
	fields, rejection := parseObject(body)
	if rejection != nil {
		return Message{}, rejection
	}
	return messageOf(fields)
}

// MaxRecords is the limit of one message.
const MaxRecords = maxRecords

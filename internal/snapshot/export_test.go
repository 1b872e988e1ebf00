package snapshot

import "encoding/json"

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

// Decisive are the names of a message's fields that decide what it counts for.
var Decisive = decisive

// Fields reads an object's fields; of a repeated one the last counts.
func Fields(text []byte) (map[string]json.RawMessage, *Rejection) {
	object, rejection := parseObject(text)
	if rejection != nil {
		return nil, rejection
	}
	fields := map[string]json.RawMessage{}
	for _, f := range object {
		fields[f.name] = object.get(f.name)
	}
	return fields, nil
}

package snapshot

import "encoding/json"

// What tests compare with encoding/json, and limits and names that they try.
const MaxRecords = maxRecords

var (
	Decisive = decisive
	AsString = asString
)

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

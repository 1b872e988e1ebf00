package snapshot

import (
	"bytes"
	"encoding/json"
	"iter"
	"strings"
	"unicode/utf8"
)

// object is the fields of a JSON object in their order, repeated ones included. Unlike encoding/json's, its names are
// case-sensitive.
type object []field

type field struct {
	name  string
	value json.RawMessage // a slice of the text
}

// parseObject reads any text.
func parseObject(text []byte) (object, *Rejection) {
	if !json.Valid(text) {
		return nil, reject(ReasonNotJSON, "the text is not valid JSON")
	}
	return objectOf(text)
}

// objectOf reads valid JSON.
func objectOf(text json.RawMessage) (object, *Rejection) {
	if kindOf(text) != '{' {
		return nil, reject(ReasonNotAnObject, "the text is valid JSON but not an object")
	}
	fields := make(object, 0, 8) // a message has at most 8 fields, a record that Pipes delivers 9
	for key, value := range members(text) {
		name, _ := asString(key)
		fields = append(fields, field{name, value})
	}
	return fields, nil
}

// get returns the value of a field, the last of a repeated one, or nil without one.
func (o object) get(name string) json.RawMessage {
	for i := len(o) - 1; i >= 0; i-- {
		if o[i].name == name {
			return o[i].value
		}
	}
	return nil
}

// repeated rejects an object that has one of the names more than once, because RFC 8259 does not define which value
// counts.
func (o object) repeated(names ...string) *Rejection {
	for _, name := range names {
		times := 0
		for i := range o {
			if o[i].name == name {
				times++
			}
		}
		if times > 1 {
			return reject(ReasonRepeatedKey, "key %s occurs %d times in one object", name, times)
		}
	}
	return nil
}

// kindOf is the first character of a valid JSON text.
func kindOf(text json.RawMessage) byte { return bytes.TrimLeft(text, space)[0] }

const space = " \t\r\n"

// members yields the members of a valid JSON object, or the elements of a valid JSON array with a nil key, in their
// order and without copying. In encoding/json only the token reader shows repeated keys; it makes five times the
// allocations for a message.
func members(text json.RawMessage) iter.Seq2[json.RawMessage, json.RawMessage] {
	return func(yield func(key, value json.RawMessage) bool) {
		text := bytes.Trim(text, space)
		isObject := text[0] == '{'
		text = bytes.Trim(text[1:len(text)-1], space)
		for len(text) > 0 {
			var key []byte
			if isObject {
				end := stringEnd(text, 0)
				key = text[:end]
				text = bytes.TrimLeft(text[end:], space)[len(":"):]
			}
			end := valueEnd(text)
			if !yield(key, bytes.Trim(text[:end], space)) {
				return
			}
			text = bytes.TrimLeft(text[min(end+len(","), len(text)):], space)
		}
	}
}

// elements are those of a valid JSON array, none of any other value.
func elements(text json.RawMessage) []json.RawMessage {
	if len(text) == 0 || kindOf(text) != '[' {
		return nil
	}
	var all []json.RawMessage
	for _, element := range members(text) {
		all = append(all, element)
	}
	return all
}

// valueEnd is the position of the comma after the first value of a list without brackets.
func valueEnd(text []byte) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			i = stringEnd(text, i) - 1
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case ',':
			if depth == 0 {
				return i
			}
		}
	}
	return len(text)
}

// stringEnd is the end of the string that begins at start.
func stringEnd(text []byte, start int) int {
	for i := start + 1; ; i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
}

// unset reports whether an optional field has no value: it is absent, null, or a text that is empty, blank, or "null".
// NiFi writes null or "" for a missing attribute (AttributesToJSON, "Null Value"), and "" or "null" for a JSON path
// without a value (EvaluateJsonPath, "Null Value Representation").
func unset(raw json.RawMessage) bool {
	if raw == nil || isNull(raw) {
		return true
	}
	text, ok := asString(raw)
	return ok && isBlank(text)
}

func isBlank(text string) bool { return text == "null" || strings.TrimSpace(text) == "" }

func isNull(raw json.RawMessage) bool { return string(raw) == "null" }

// asString decodes valid JSON that is a string. It reports false for anything else, null included.
func asString(raw json.RawMessage) (string, bool) {
	if len(raw) == 0 || raw[0] != '"' {
		return "", false
	}
	if bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) {
		return string(raw[1 : len(raw)-1]), true
	}
	var value string
	return value, json.Unmarshal(raw, &value) == nil
}

// Package sendable encodes texts for SQS and SNS, which refuse a message with certain characters.
package sendable

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// EventID is the message attribute by which a consumer recognises a repeated message.
const EventID = "event_id"

// JSON encodes a message. It escapes what SQS refuses and, unlike json.Marshal, not <, > and &.
func JSON(message any) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(message); err != nil {
		panic(fmt.Sprintf("sendable: encoding %T: %v", message, err)) // only structs of strings are passed
	}
	return escapeRefused.Replace(strings.TrimSuffix(b.String(), "\n"))
}

// escapeRefused escapes the characters that are valid in JSON but that SQS refuses.
var escapeRefused = strings.NewReplacer("\uFFFE", `\ufffe`, "\uFFFF", `\uffff`)

// Text quotes a text that has a character which SQS refuses. Only an execution that a person started can have one.
func Text(text string) string {
	if strings.ContainsFunc(text, Refused) {
		return strconv.QuoteToASCII(text)
	}
	return text
}

// Original reverses Text.
func Original(text string) string {
	if !strings.HasPrefix(text, `"`) {
		return text
	}
	if original, err := strconv.Unquote(text); err == nil && strings.ContainsFunc(original, Refused) {
		return original
	}
	return text
}

// Refused reports whether SQS refuses a message with this character
// (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html).
func Refused(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
}

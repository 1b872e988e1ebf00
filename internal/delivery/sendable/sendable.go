// Package sendable writes what SQS and SNS take: both refuse a message for one character.
package sendable

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// EventID is the message attribute by which a consumer recognises a message that is sent again.
const EventID = "event_id"

// JSON writes a message: it leaves <, > and & as they are, which json.Marshal would escape, and escapes what SQS
// refuses.
func JSON(message any) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(message); err != nil {
		panic(fmt.Sprintf("sendable: encoding %T: %v", message, err)) // only strings in structs come here
	}
	return escapeRefused.Replace(strings.TrimSuffix(b.String(), "\n"))
}

// escapeRefused escapes the characters that JSON may hold as they are but SQS refuses.
var escapeRefused = strings.NewReplacer("\uFFFE", `\ufffe`, "\uFFFF", `\uffff`)

// Text quotes a text with a character for which SQS would refuse the whole message. Only an execution
// that was started by hand can hold one: what came through SQS has none.
func Text(text string) string {
	if strings.ContainsFunc(text, Refused) {
		return strconv.QuoteToASCII(text)
	}
	return text
}

// Original takes back what Text did to a text.
func Original(text string) string {
	if !strings.HasPrefix(text, `"`) {
		return text
	}
	if original, err := strconv.Unquote(text); err == nil && strings.ContainsFunc(original, Refused) {
		return original
	}
	return text
}

// Refused tells whether SQS refuses a message with this character
// (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html).
func Refused(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
}

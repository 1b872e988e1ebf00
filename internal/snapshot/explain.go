package snapshot

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
)

// wrapping is what another program put around a message or sent in its place, and what to set there.
type wrapping struct {
	name, advice string
	noMessage    bool // there is no message in it, whatever is around it
}

var (
	marked   = wrapping{name: "JSON with a byte order mark in front", advice: "send it without the mark"}
	inBase64 = wrapping{name: "base64", advice: "send the JSON object itself"}
	// The body of a record may be an escaped string (seed document), but no string within that.
	encodedTwice = wrapping{name: "JSON that was encoded twice",
		advice: "send the JSON object itself, not a string that contains it"}
	// https://docs.aws.amazon.com/sns/latest/dg/sns-large-payload-raw-message-delivery.html
	notification = wrapping{name: "an SNS notification",
		advice: "switch on raw message delivery of the subscription to the file-received queue"}
	// https://docs.aws.amazon.com/sns/latest/dg/http-subscription-confirmation-json.html
	confirmation = wrapping{name: "an SNS subscription confirmation", noMessage: true,
		advice: "if you know the topic, confirm the subscription with its token (aws sns confirm-subscription) and " +
			"switch on raw message delivery; otherwise delete the message"}
	// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
	busEvent = wrapping{name: "an EventBridge event",
		advice: "send only its detail: set the target's input path to $.detail"}
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
	s3Event = wrapping{name: "an S3 event", noMessage: true,
		advice: "it names no run; stop the bucket's events from reaching the file-received queue"}
	s3Test = wrapping{name: "an S3 test event", noMessage: true,
		advice: "a bucket's events were directed to the file-received queue; they name no run: direct them elsewhere"}
	// Of an alarm's notification or a service's event, nothing that is set makes a message.
	nothing = wrapping{name: "no correlation_id", noMessage: true,
		advice: "it names no run; stop it from reaching the file-received queue, or have its sender corrected"}
)

// explained gives the rejection of a text that looks like another program's a sentence that says whose, and what to
// set. The reason stays. It is called after a rejection only: valid messages do not pay for it.
func explained(rejection *Rejection, text []byte) *Rejection {
	switch rejection.Reason {
	case ReasonNotJSON, ReasonNotAnObject, ReasonFieldMissing, ReasonNoBody:
	default:
		return rejection
	}
	var names, advice []string
	for _, layer := range wrappings(text, 0) {
		names = append(names, layer.name)
		if layer.noMessage {
			advice = nil
		}
		advice = append(advice, layer.advice)
	}
	if len(names) == 0 {
		return rejection
	}
	return reject(rejection.Reason, "looks like %s: %s", strings.Join(names, ", which contains "),
		strings.Join(advice, "; "))
}

// wrappings are the layers that a text consists of, the outer one first; none if it looks like a message or like
// nothing known. It opens as many layers as there may be envelopes.
func wrappings(text []byte, depth int) []wrapping {
	text = bytes.Trim(text, space)
	if depth == maxNesting || len(text) == 0 {
		return nil
	}
	within := func(layer wrapping, inner []byte) []wrapping {
		return append([]wrapping{layer}, wrappings(inner, depth+1)...)
	}
	if !json.Valid(text) {
		if rest := bytes.TrimLeft(text, "\ufeff"); len(rest) < len(text) && json.Valid(rest) {
			return within(marked, rest)
		}
		if text[0] != 'e' { // of "{" in base64
			return nil
		}
		if decoded, err := base64.StdEncoding.DecodeString(string(text)); err == nil && json.Valid(decoded) {
			return within(inBase64, decoded)
		}
		return nil
	}
	if inner, ok := asString(text); ok {
		layers := wrappings([]byte(inner), depth+1)
		if _, rejection := parseObject([]byte(inner)); rejection != nil && len(layers) == 0 ||
			len(layers) > 0 && layers[0] == encodedTwice {
			return layers
		}
		return append([]wrapping{encodedTwice}, layers...)
	}
	fields, rejection := objectOf(text)
	if rejection != nil || fields.isMessage() {
		return nil
	}
	return fields.wrappings(func(layer wrapping, inner []byte) []wrapping {
		layers := within(layer, inner)
		if fields, rejection := parseObject(inner); len(layers) == 1 && depth+1 < maxNesting &&
			(rejection != nil || !fields.isMessage() && !fields.isEnvelope()) {
			return append(layers, nothing)
		}
		return layers
	})
}

// wrappings recognises what AWS's services send.
func (o object) wrappings(within func(layer wrapping, inner []byte) []wrapping) []wrapping {
	is := func(name, value string) bool { text, _ := asString(o.get(name)); return text == value }
	message, _ := asString(o.get("Message"))
	switch {
	case is("Type", "Notification") && o.get("TopicArn") != nil:
		return within(notification, []byte(message))
	case is("Type", "SubscriptionConfirmation") && o.get("TopicArn") != nil:
		return []wrapping{confirmation}
	case is("Event", "s3:TestEvent"):
		return []wrapping{s3Test}
	case o.comesFromS3():
		return []wrapping{s3Event}
	case o.get("detail-type") != nil && is("source", "aws.s3"):
		return []wrapping{busEvent, s3Event}
	case o.get("detail-type") != nil && o.get("source") != nil && o.get("detail") != nil:
		return within(busEvent, o.get("detail"))
	}
	if records := elements(o.get("Records")); len(records) > 0 { // all of an S3 event's are S3's: the first one tells
		if fields, _ := objectOf(records[0]); fields.comesFromS3() {
			return []wrapping{s3Event}
		}
	}
	return nil
}

func (o object) comesFromS3() bool {
	source, _ := asString(o.get("eventSource"))
	return source == "aws:s3"
}

package rejected

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
)

// delivered is what increment counts of a message that the file-received queue delivers.
func delivered(t *testing.T, id, text string) (digests []string) {
	t.Helper()
	input, err := json.Marshal([]map[string]string{{"messageId": id, "body": text}})
	if err != nil {
		t.Fatal(err)
	}
	groups, _, rejected := snapshot.GroupByCollection(snapshot.Unwrap(input, "execution-of-"+id))
	for _, group := range groups {
		for _, receipt := range group.Receipts {
			digests = append(digests, receipt.Identity+" "+fmt.Sprintf("%x", receipt.Digest))
		}
	}
	for _, receipt := range rejected {
		digests = append(digests, receipt.Identity+" "+string(receipt.Rejection.Reason))
	}
	return digests
}

// A dead letter may have been counted by the execution that failed. Its replay brings the same identities and digests,
// so what was counted is a duplicate; also if the replay becomes a dead letter again, and again. Its text stays what
// the first replay sent: each escape of an escape would make it longer, until the queue refuses it.
func TestAReplayedDeadLetterHasTheIdentitiesOfItsFirstDelivery(t *testing.T) {
	t.Parallel()
	quoted := func(text string) string { encoded, _ := json.Marshal(text); return string(encoded) }
	other := strings.Replace(good, "db.a.b", "db.a.c", 1)
	for name, c := range map[string]struct {
		text string
		want int // messages
	}{
		"a message":               {good, 1},
		"white space and escapes": {" {\t\"x\": \"\\u00e9\\\\ </b> & é \U0001F600\u2028\"," + good[1:] + "\n", 1},
		"an envelope":             {`{"Records":[{"body":` + good + `},{"body":` + quoted(other) + `}]}`, 2},
		"an envelope with identities": {`{"Records":[{"messageId":"own","body":` + good + `},{"body":` + other +
			`}]}`, 2},
		"an envelope in an envelope": {`{"Records":[{"body":{"Records":[{"body":` + good + `},{"body":` + other +
			`}]}}]}`, 2},
		"one good and one bad":           {`{"Records":[{"body":` + good + `},{"body":"oh"}]}`, 2},
		"a replay of a rejected message": {(&Message{Identity: "rejected/0", Text: good}).Envelope(), 1},
		"a replay of a rejected envelope": {(&Message{Identity: "m0", Text: `{"Records":[{"body":` + good +
			`}]}`}).Envelope(), 1},
		"no JSON": {"oh", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id, text := "m1", c.text
			want := delivered(t, id, text)
			if len(want) != c.want {
				t.Fatalf("the first delivery brings %d messages, want %d: %q", len(want), c.want, want)
			}
			for replay := range 4 {
				dead := Queues{source: "the file-received queue"}.newMessage(types.Message{MessageId: &id, Body: &text})
				if replay > 0 && dead.Envelope() != text {
					t.Fatalf("replay %d sends %s, the first one %s", replay, dead.Envelope(), text)
				}
				id, text = fmt.Sprint("replay-", replay), dead.Envelope()
				if diff := cmp.Diff(want, delivered(t, id, text)); diff != "" {
					t.Fatalf("replay %d (-first delivery +replay):\n%s", replay, diff)
				}
			}
		})
	}
}

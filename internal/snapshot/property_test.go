package snapshot_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"snapshot-status-checker/internal/snapshot"
)

// jsonText draws any JSON value, rich in the names and values that mean something in a message.
func jsonText(depth int) *rapid.Generator[string] {
	name := rapid.OneOf(
		rapid.SampledFrom([]string{"Records", "body", "messageId", "correlation_id", "collection_name", "snapshot_type", "export_date", "is_success_file", "filename", "file_name"}),
		rapid.String())
	return rapid.Custom(func(t *rapid.T) string {
		kinds := []string{"literal", "string", "number", "message"}
		if depth > 0 {
			kinds = append(kinds, "array", "object", "object", "envelope", "escaped")
		}
		space := rapid.SampledFrom([]string{"", " ", "\n\t"}).Draw(t, "space")
		switch rapid.SampledFrom(kinds).Draw(t, "kind") {
		case "literal":
			return rapid.SampledFrom([]string{"null", "true", "false", `""`}).Draw(t, "literal") + space
		case "string":
			return space + quoted(rapid.String().Draw(t, "string"))
		case "number":
			return space + fmt.Sprint(rapid.Float64Range(-1e20, 1e20).Draw(t, "number"))
		case "message":
			return space + body("collection_name", quoted(rapid.String().Draw(t, "collection")))
		case "escaped":
			return space + quoted(jsonText(depth-1).Draw(t, "text"))
		case "array":
			return "[" + strings.Join(rapid.SliceOfN(jsonText(depth-1), 0, 4).Draw(t, "elements"), ","+space) + "]"
		case "envelope":
			var records []string
			for _, text := range rapid.SliceOfN(jsonText(depth-1), 0, 4).Draw(t, "bodies") {
				records = append(records, `{"body":`+space+text+`}`)
			}
			return `{"Records":[` + strings.Join(records, ",") + "]" + space + "}"
		default:
			var fields []string
			for _, value := range rapid.SliceOfN(jsonText(depth-1), 0, 5).Draw(t, "values") {
				fields = append(fields, quoted(name.Draw(t, "name"))+":"+space+value)
			}
			return "{" + strings.Join(fields, ",") + "}" + space
		}
	})
}

func TestUnwrapAnyJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		holdsForAnyInput(t, []byte(jsonText(4).Draw(t, "input")))
	})
}

// What one record says is never changed by its neighbours.
func TestUnwrapNeighboursDoNotMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var records []string
		var alone []snapshot.Receipt
		for i, text := range rapid.SliceOfN(jsonText(3), 1, 4).Draw(t, "bodies") {
			record := fmt.Sprintf(`{"messageId":"m%d","body":%s}`, i, quoted(text))
			records = append(records, record)
			alone = append(alone, snapshot.Unwrap([]byte("["+record+"]"), execution)...)
		}
		together := snapshot.Unwrap([]byte("["+strings.Join(records, ",")+"]"), execution)
		if got, want := fmt.Sprintf("%+v", describe(together)), fmt.Sprintf("%+v", describe(alone)); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

func describe(receipts []snapshot.Receipt) []seen {
	var all []seen
	for _, r := range receipts {
		s := seen{Identity: r.Identity, Raw: r.Raw, Is: fmt.Sprintf("%+v", r.Message)}
		if r.Rejection != nil {
			s.Is = r.Rejection.Error()
		}
		all = append(all, s)
	}
	return all
}

func TestGroupByCollectionLosesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var messages []string
		for range rapid.IntRange(0, 250).Draw(t, "messages") {
			messages = append(messages, rapid.SampledFrom([]string{
				fmt.Sprintf("m%d a/1", rapid.IntRange(0, 300).Draw(t, "identity")),
				fmt.Sprintf("m%d b/%d", rapid.IntRange(0, 9).Draw(t, "few identities"), rapid.IntRange(0, 1).Draw(t, "file")),
				"bad !",
			}).Draw(t, "message"))
		}
		receipts := batch(messages...)
		groups, duplicates, rejected := snapshot.GroupByCollection(receipts)
		total := len(duplicates) + len(rejected)
		counted, grouped := map[string]bool{}, map[snapshot.CollectionKey]bool{}
		for _, g := range groups {
			total += len(g.Receipts)
			if len(g.Receipts) == 0 || grouped[g.CollectionKey] {
				t.Errorf("a group of %d, another of its collection: %v", len(g.Receipts), grouped[g.CollectionKey])
			}
			grouped[g.CollectionKey] = true
			for _, r := range g.Receipts {
				if counted[r.Identity] {
					t.Errorf("%s is counted twice", r.Identity)
				}
				counted[r.Identity] = true
				if r.Rejection != nil || r.Message.CollectionKey != g.CollectionKey {
					t.Errorf("%+v is in the group of %+v", r, g.CollectionKey)
				}
			}
		}
		if total != len(receipts) {
			t.Errorf("%d of %d receipts are left", total, len(receipts))
		}
		for _, r := range rejected {
			if r.Rejection == nil {
				t.Errorf("%s is rejected without a reason", r.Identity)
			}
		}
	})
}

// Undisturbed, a look comes to rest after five steps at most, whatever it finds, and never moves backwards.
func TestNextStepComesToRest(t *testing.T) {
	t.Parallel()
	counter := rapid.Custom(func(t *rapid.T) snapshot.Counter {
		if !rapid.Bool().Draw(t, "set") {
			return none
		}
		return n(rapid.Int64Range(0, 4).Draw(t, "n"))
	})
	rank := map[snapshot.Status]int{snapshot.Sent: 1, snapshot.Received: 2, snapshot.Success: 3}
	rapid.Check(t, func(t *rapid.T) {
		r := row(rapid.SampledFrom([]snapshot.Status{"", "Exported", snapshot.Sent, snapshot.Received, snapshot.Success, "Blocked_Topic"}).Draw(t, "status"),
			counter.Draw(t, "sent"), counter.Draw(t, "received"), counter.Draw(t, "row counted"))
		c := snapshot.Collection{
			Counted: rapid.Int64Range(0, 6).Draw(t, "counted"), Base: rapid.Int64Range(0, 2).Draw(t, "base"), Projected: rapid.Bool().Draw(t, "projected"),
			TakenOver: rapid.Bool().Draw(t, "taken over"), Success: counter.Draw(t, "success"),
			Request: snapshot.Claim{Attempt: counter.Draw(t, "claimed"), By: rapid.SampledFrom([]string{"me", "other"}).Draw(t, "by"), Delivered: rapid.Bool().Draw(t, "delivered")},
		}
		for range 6 {
			before := r.Status
			switch snapshot.NextStep(r, c, "me", now) {
			case snapshot.BringUpToDate:
				r.FilesReceived = n(r.FilesReceived.N + c.Missing(r))
				r.FilesCounted, c.Projected = n(c.Counted), true
			case snapshot.TakeOver:
				c.TakenOver = true
			case snapshot.MoveToReceived:
				if !c.Ours() {
					t.Errorf("moved although nobody answers for its request: %+v %+v", r, c)
				}
				r.Status = snapshot.Received
			case snapshot.ClaimRequest:
				c.Request = claimed(c.Attempt(r), "me", snapshot.Lease)
			case snapshot.MoveToSuccess:
				r.Status = snapshot.Success
			case snapshot.Rest:
				return
			}
			if rank[r.Status] < rank[before] {
				t.Errorf("moved from %s to %s", before, r.Status)
			}
		}
		t.Errorf("no rest: %+v %+v", r, c)
	})
}

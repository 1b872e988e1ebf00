package main

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// An event holds the batch where the recorded one held its, and its own execution where that one was named.
func TestEventFor(t *testing.T) {
	t.Parallel()
	var c caller
	input := `[{"messageId":"m","body":"hello","attributes":{"n":"1"}}]`
	if err := c.learn(`{"by":"arn:x/1","work":{"all":`+input+`},"n":[1,null]}`, "arn:x", input); err != nil {
		t.Fatal(err)
	}
	got, err := c.eventFor([]string{"a", "b"}, 7)
	if err != nil {
		t.Fatal(err)
	}
	var event, want any
	if err := json.Unmarshal(got, &event); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(`{"n":[1,null],
		"by":"arn:aws:states:eu-west-1:123456789012:execution:bench:00000000000000000000000000000007/1","work":{"all":[
		{"messageId":"00000007-0000-4000-8000-000000000000","body":"a","attributes":{"n":"1"}},
		{"messageId":"00000007-0000-4000-8000-000000000001","body":"b","attributes":{"n":"1"}}]}}`), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, event); diff != "" {
		t.Error(diff)
	}
	if err := c.learn(`{"other":1}`, "arn:x", input); err == nil {
		t.Error("no error where the batch is not in the event")
	}
}

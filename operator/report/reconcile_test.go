package report_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/operator/report"
)

// All collections that wait are reconciled; one if only a notification is pending; otherwise none.
func TestToReconcile(t *testing.T) {
	t.Parallel()
	notified := map[snapshot.Kind]snapshot.Entry{snapshot.AllReceived: delivered(0),
		snapshot.AllSuccessful: delivered(0)}
	pending := map[snapshot.Kind]snapshot.Entry{
		snapshot.AllReceived: delivered(0), snapshot.AllSuccessful: {Version: snapshot.Count(0),
			Until: now.Add(time.Minute)}}
	success := state("Success", 2, 2, asked(0, true, now))
	for name, c := range map[string]struct {
		run  *snapshot.Run
		rows []store.State
		want []string
	}{
		"some wait": {&snapshot.Run{}, []store.State{success, state("Sent", 1, 2), state("Exporting", 0, 0)},
			[]string{"Sent", "Exporting"}},
		"notification pending": {&snapshot.Run{}, []store.State{success, success}, []string{"Success"}},
		"both": {&snapshot.Run{}, []store.State{success, state("Received", 2, 2, asked(0, true, now))},
			[]string{"Received"}},
		"notification leased": {&snapshot.Run{Outbox: pending}, []store.State{success}, nil},
		"done":                {&snapshot.Run{Outbox: notified}, []store.State{success}, nil},
		"of another system":   {nil, []store.State{success}, nil},
		"no rows":             {&snapshot.Run{}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, key := range report.ToReconcile(report.New("run", store.RunState{Run: c.run, Collections: c.rows},
				report.Settings{}, now)) {
				got = append(got, key.CollectionName)
			}
			if diff := cmp.Diff(c.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNewestFirst(t *testing.T) {
	t.Parallel()
	want := []snapshot.Run{{CorrelationID: "b", RegisteredAt: ago(time.Minute)},
		{CorrelationID: "a", RegisteredAt: ago(time.Hour)}, {CorrelationID: "c", RegisteredAt: ago(time.Hour)}}
	got := slices.Clone(want)
	slices.Reverse(got)
	if report.NewestFirst(got); !cmp.Equal(want, got) {
		t.Error(cmp.Diff(want, got))
	}
}

// What a known system writes is shown as it is spelled, everything else in quotes.
func TestStatusName(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]string{
		"Sent": "Sent", "SENT": "SENT", "export_failed": "export_failed", "Blocked_Topic": "Blocked_Topic",
		"success": "success",
		"":        `""`, "Sent ": `"Sent "`, " Sent": `" Sent"`, "Sent\t": `"Sent\t"`, "Paused": `"Paused"`,
		`a"b`:        `"a\"b"`,
		"Sent\u200b": `"Sent\u200b"`, "Sent\ufe0f": `"Sent\ufe0f"`, "Sent\u00a0": `"Sent\u00a0"`,
	} {
		if got := report.StatusName(status); got != want {
			t.Errorf("%q: %s, want %s", status, got, want)
		}
	}
}

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

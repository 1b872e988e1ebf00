package snapshot_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
)

func TestTally(t *testing.T) {
	t.Parallel()
	type blockers map[snapshot.DebtKind]snapshot.Blocker
	for _, test := range []struct {
		name              string
		statuses          []snapshot.Status // of the collections a, b, c …
		exempt            []snapshot.Status
		received, success bool
		blockers          blockers
	}{
		{name: "no rows: no news"},
		{name: "all received", statuses: []snapshot.Status{"Received", "RECEIVED"}, received: true,
			blockers: blockers{snapshot.AllSuccessful: {CollectionName: "a", Status: "Received"}}},
		{name: "received or further", statuses: []snapshot.Status{"Success", "Received"}, received: true,
			blockers: blockers{snapshot.AllSuccessful: {CollectionName: "b", Status: "Received"}}},
		{name: "all successful: both are true", statuses: []snapshot.Status{"Success", "SUCCESS"}, received: true, success: true},
		{name: "one is not sent", statuses: []snapshot.Status{"Received", "Exported", "Sent"},
			blockers: blockers{snapshot.AllReceived: {CollectionName: "b", Status: "Exported"}, snapshot.AllSuccessful: {CollectionName: "a", Status: "Received"}}},
		{name: "one that never finishes blocks", statuses: []snapshot.Status{"Success", "Blocked_Topic"},
			blockers: blockers{snapshot.AllReceived: {CollectionName: "b", Status: "Blocked_Topic"}, snapshot.AllSuccessful: {CollectionName: "b", Status: "Blocked_Topic"}}},
		{name: "unless it is exempt", statuses: []snapshot.Status{"Success", "BLOCKED_TOPIC"}, exempt: []snapshot.Status{"Blocked_Topic"}, received: true, success: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var tally snapshot.Tally
			for i, status := range test.statuses {
				tally.Add(snapshot.Row{CollectionKey: snapshot.CollectionKey{CollectionName: string(rune('a' + i))}, Status: status}, test.exempt)
			}
			if tally.True(snapshot.AllReceived) != test.received || tally.True(snapshot.AllSuccessful) != test.success {
				t.Errorf("all received %v, all successful %v", tally.True(snapshot.AllReceived), tally.True(snapshot.AllSuccessful))
			}
			for _, news := range snapshot.News {
				want, wantBlocked := test.blockers[news]
				if got, blocked := tally.Blocked(news); got != want || blocked != wantBlocked {
					t.Errorf("%s blocked by %+v %v, want %+v", news, got, blocked, want)
				}
			}
		})
	}
}

func TestTallySumsAttempts(t *testing.T) {
	t.Parallel()
	var tally snapshot.Tally
	for _, r := range []snapshot.Row{row("Received", n(3), n(3), n(3)), row("Received", n(2), n(2), n(7)), row("Received", n(0), n(4), none), row("Received", n(0), none, none)} {
		tally.Add(r, nil)
	}
	if diff := cmp.Diff([]int64{4, 0 + 5 - 4 + 0}, []int64{int64(tally.Rows), tally.Attempts}); diff != "" {
		t.Error(diff)
	}
}

// Each row asks as "me", for a sum of attempts of 5.
func TestNews(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name       string
		claim      snapshot.Claim
		owed, free bool
	}{
		{"never told", snapshot.Claim{}, true, true},
		{"told", deliveredFor(5), false, false},
		{"another is telling", claimed(5, "other", time.Second), true, false},
		{"another died telling", claimed(5, "other", 0), true, true},
		{"we are telling", claimed(5, "me", 0), true, false},
		{"told for fewer attempts: a new one is told again", deliveredFor(4), true, true},
		{"claimed for fewer attempts", claimed(4, "other", time.Hour), true, true},
		{"told for more attempts: a regression repeats nothing", deliveredFor(6), false, false},
		{"claimed for more attempts", claimed(6, "other", -time.Hour), false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			run := snapshot.Run{News: map[snapshot.DebtKind]snapshot.Claim{snapshot.AllReceived: test.claim}}
			if got := run.NewsOwed(snapshot.AllReceived, 5); got != test.owed {
				t.Errorf("owed: %v", got)
			}
			if got := run.NewsFree(snapshot.AllReceived, 5, "me", now); got != test.free {
				t.Errorf("free: %v", got)
			}
			if !run.NewsFree(snapshot.AllSuccessful, 5, "me", now) {
				t.Error("one piece of news keeps the other from being told")
			}
		})
	}
}

// A sum of attempts below zero is one like any other: rows that others counted before us have negative attempts.
func TestNewsForNegativeAttempts(t *testing.T) {
	t.Parallel()
	if !(snapshot.Run{}).NewsFree(snapshot.AllReceived, -5, "me", now) {
		t.Error("news that was never claimed is not free")
	}
	run := snapshot.Run{News: map[snapshot.DebtKind]snapshot.Claim{snapshot.AllReceived: deliveredFor(-5)}}
	if run.NewsOwed(snapshot.AllReceived, -5) || !run.NewsOwed(snapshot.AllReceived, -1) {
		t.Error("news for negative sums does not follow the rule")
	}
}

func TestOwedSince(t *testing.T) {
	t.Parallel()
	hour := func(n int) time.Time { return now.Add(time.Duration(n) * time.Hour) }
	received := func(claim snapshot.Claim) (snapshot.Row, snapshot.Collection) {
		return row("Received", n(1), n(1), n(1)), snapshot.Collection{Counted: 1, Projected: true, Request: claim}
	}
	paid, open := deliveredFor(0), func(hours int) snapshot.Claim { return snapshot.Claim{Attempt: n(0), By: "other", Since: hour(hours)} }
	for _, test := range []struct {
		name     string
		requests []snapshot.Claim // of one collection each
		news     snapshot.Claim   // that all is received
		want     time.Time
	}{
		{"all is paid", []snapshot.Claim{paid, paid}, paid, time.Time{}},
		{"a request is claimed", []snapshot.Claim{paid, open(-3)}, paid, hour(-3)},
		{"two are", []snapshot.Claim{open(-3), open(-5)}, paid, hour(-5)},
		{"a request that nobody has claimed", []snapshot.Claim{{}, paid}, paid, hour(-1)},
		{"news is claimed", []snapshot.Claim{paid}, open(-2), hour(-2)},
		{"news that nobody has claimed", []snapshot.Claim{paid}, snapshot.Claim{}, hour(-1)},
		{"claimed before anybody noted when", []snapshot.Claim{{Attempt: n(0), By: "other"}}, paid, hour(-1)},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tally, rows, collections := &snapshot.Tally{}, []snapshot.Row{}, []snapshot.Collection{}
			for _, claim := range test.requests {
				row, collection := received(claim)
				tally.Add(row, nil)
				rows, collections = append(rows, row), append(collections, collection)
			}
			run := snapshot.Run{News: map[snapshot.DebtKind]snapshot.Claim{snapshot.AllReceived: test.news}}
			if got := run.OwedSince(tally, rows, collections, hour(-1)); !got.Equal(test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

// News that is not true yet is not owed.
func TestNothingIsOwedWhileCollectionsAreMissing(t *testing.T) {
	t.Parallel()
	tally, waiting := &snapshot.Tally{}, row("Sent", n(2), n(1), n(1))
	tally.Add(waiting, nil)
	if got := (snapshot.Run{}).OwedSince(tally, []snapshot.Row{waiting}, []snapshot.Collection{{Counted: 1, Projected: true}}, now); !got.IsZero() {
		t.Errorf("owed since %v", got)
	}
}

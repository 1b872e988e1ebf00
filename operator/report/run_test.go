package report_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/operator/operatortest"
	"snapshot-status-checker/operator/report"
)

// notified is a run in a generation, with the generations of its delivered notifications of all received and of all
// successful; -1 for none. Its first message came three hours ago.
func notified(generation, received, successful int64, changes ...func(*snapshot.Run)) *snapshot.Run {
	run := &snapshot.Run{CorrelationID: "run", Generation: generation, RegisteredAt: ago(3 * time.Hour),
		Outbox: map[snapshot.Kind]snapshot.Entry{}}
	for kind, version := range map[snapshot.Kind]int64{snapshot.AllReceived: received,
		snapshot.AllSuccessful: successful} {
		if version >= 0 {
			run.Outbox[kind] = snapshot.Entry{Version: snapshot.Count(version), Since: ago(2 * time.Hour),
				Until: ago(time.Hour), Delivered: true}
		}
	}
	for _, change := range changes {
		change(run)
	}
	return run
}

func unnotified(changes ...func(*snapshot.Run)) *snapshot.Run { return notified(0, -1, -1, changes...) }

func abandoned(run *snapshot.Run) { run.Abandoned = true }

func begunAgo(d time.Duration) func(*snapshot.Run) {
	return func(run *snapshot.Run) { run.RegisteredAt = ago(d) }
}

// swept is a run whose sums the sweep saw first so long ago.
func swept(sums string, since time.Duration) func(*snapshot.Run) {
	return func(run *snapshot.Run) { run.Progress = snapshot.Progress{Sums: sums, Since: ago(since)} }
}

// leasing is a run of which an execution is notifying that all is successful.
func leasing(run *snapshot.Run) {
	run.Outbox[snapshot.AllSuccessful] = snapshot.Entry{Version: snapshot.Count(0), Owner: "execution/x",
		Since: ago(time.Minute), Until: now.Add(time.Minute)}
}

func failedAgo(moments ...time.Duration) (failed []report.Failure) {
	for _, d := range moments {
		failed = append(failed, report.Failure{At: ago(d), Error: "States.Timeout", Cause: "slow."})
	}
	return failed
}

type runCase struct {
	name   string
	run    *snapshot.Run
	rows   []store.State
	around report.Evidence
}

func of(name string, run *snapshot.Run, rows ...store.State) runCase {
	return runCase{name: name, run: run, rows: rows}
}

func (c runCase) with(around report.Evidence) runCase {
	c.around = around
	return c
}

func runCases() []runCase {
	sent, received := state("Sent", 1, 2), state("Received", 2, 2, asked(0, true, now))
	just, hourAgo := countedAgo(0), countedAgo(time.Hour)
	sentHourAgo, behind := state("Sent", 1, 2, hourAgo), state("Sent", 1, 3, counted(2, 0))
	success := func(epoch int64) store.State {
		return state("Success", 1, 1, counted(epoch+1, epoch), asked(epoch, true, ago(time.Hour)), just)
	}
	again := func(status snapshot.Status, files, requested int64) store.State { // exported again after 1 file
		return state(status, files, 1, counted(1+files, 1), asked(requested, true, now), just)
	}
	others := state("Success", 2, 2, ofOthers)
	var many []store.State
	for i := range report.MaxNamed + 2 {
		many = append(many, state("Sent", 1, 2, countedAgo(time.Duration(i)*time.Minute)))
	}
	return []runCase{
		of("in progress", unnotified(), state("Sent", 1, 2, countedAgo(time.Minute)), success(0)),
		of("stalled", unnotified(), sentHourAgo),
		of("never began", unnotified(), sent),
		of("progress since, by the sweep", unnotified(swept("others", time.Minute)), sentHourAgo),
		of("progress, and no sweep since", unnotified(swept("others", time.Hour)), sentHourAgo),
		of("many", unnotified(), many...),
		of("received, not notified", unnotified(), received),
		of("received", notified(0, 0, -1), received),
		of("successful, not notified", unnotified(), success(0), success(0)),
		of("successful, one notified", notified(0, 0, -1), success(0)),
		of("successful, notification leased", notified(0, 0, -1, leasing), success(0)),
		of("successful", notified(0, 0, 0), success(0)).with(report.Evidence{Waiting: 1, Failed: failedAgo(0)}),
		of("abandoned", unnotified(abandoned), behind, sent),
		of("abandoned, request and notification pending", unnotified(abandoned), state("Received", 2, 2)),
		of("abandoned, request leased", unnotified(abandoned),
			state("Received", 2, 2, asked(0, false, now.Add(time.Minute))), behind),

		of("late in a second", unnotified(begunAgo(5*time.Hour-time.Second)), sent),
		of("late", unnotified(begunAgo(5*time.Hour)), sent),
		of("received, late", notified(0, 0, -1, begunAgo(6*time.Hour)), received),
		of("abandoned, never late", unnotified(abandoned, begunAgo(6*time.Hour)), sent),
		of("reopened, late", notified(1, 0, 0, begunAgo(6*time.Hour)), sent),

		// A run whose rows were deleted, exported again, or added.
		of("notified twice, and one row is deleted", notified(1, 1, 1), success(0)),
		of("exported again", notified(1, 1, 1), again("Sent", 0, 0)),
		of("received again, and reopened", notified(2, 1, 1), again("Received", 1, 1)),
		of("received again, and notified", notified(2, 2, 1), again("Received", 1, 1)),
		of("successful again, and not notified", notified(2, 2, 1), success(1)),
		of("notified again", notified(2, 2, 2), success(1)),
		of("notified of a row that another system counted", notified(0, 0, 0), state("Success", 4, 4, counted(1, -3),
			asked(-3, true, ago(time.Hour))), success(0)),
		of("all rows are deleted", notified(1, 1, 1)),
		of("all rows are deleted, notified of one", notified(0, 0, -1)),
		of("all rows are deleted after it was reopened", notified(1, 0, 0)),
		of("no row ever", nil),
		of("a collection is added", notified(0, 0, 0), success(0), state("Exporting", 0, 0, just)),
		of("the added one is complete", notified(0, 0, 0), success(0), state("Sent", 2, 2, just)),
		of("the run id is used again", notified(0, 0, 0), state("Sent", 0, 2, ofOthers)),

		of("another system's, finished", nil, others),
		of("another system's, exporting", nil, others, state("Exporting", 0, 0)),
		of("another system's, complete", nil, state("Sent", 2, 2, ofOthers)),
		of("another system's, taken over", unnotified(), state("Sent", 2, 2, ofOthers)),
		of("no files, and files missing", unnotified(), state("Sent", 1, 0), sent),
		of("not all asked", unnotified(), received, state("Received", 0, 0)),
		of("odd statuses", unnotified(), state("Sent ", 1, 1), state("", 0, 0), state("Paus\u202eed", 0, 0)),
		of("never ends", unnotified(), state("Blocked_Topic", 0, 0), state("blocked_topic", 0, 0)),
		of("malformed", unnotified(), state("Success", 1, 1, malformed), success(0)),

		of("messages in queues", unnotified(), sent).with(report.Evidence{Waiting: 2, Rejected: 1, DeadLetters: 1}),
		of("failed after the last progress", unnotified(),
			sentHourAgo).with(report.Evidence{Failed: failedAgo(time.Hour)}),
		of("failed before it", unnotified(), sentHourAgo).with(report.Evidence{Failed: failedAgo(61 * time.Minute)}),
		of("failed before a late sweep saw it", unnotified(swept("", 58*time.Minute)),
			sentHourAgo).with(report.Evidence{Failed: failedAgo(59 * time.Minute)}),
		of("failed before and after", unnotified(), sentHourAgo).with(report.Evidence{Failed: failedAgo(2*time.Hour,
			time.Hour, 3*time.Hour, time.Minute)}),
	}
}

// The state of a run, what it waits for, and what there is to reconcile follow from what is stored.
func TestRuns(t *testing.T) {
	t.Parallel()
	var got strings.Builder
	for _, c := range runCases() {
		run := report.New("run", store.RunState{Run: c.run, Collections: c.rows}, settings, now)
		fmt.Fprintf(&got, "%s: %s, %d of %d received, %d successful", c.name, run.Label(), run.Received,
			run.Summary.Collections, run.Successful)
		if run.Deadline != nil {
			got.WriteString(run.Deadline.Format(", deadline 15:04:05"))
		}
		for _, n := range run.Notifications {
			fmt.Fprintf(&got, ", %s %s", report.NotificationName(n.Kind), n.Delivery.State)
		}
		got.WriteString("\n")
		for _, finding := range report.Why(run, c.around, "") {
			got.WriteString(text(finding))
		}
		for _, key := range report.ToReconcile(run) {
			fmt.Fprintf(&got, "  reconcile %q\n", key.CollectionName)
		}
	}
	operatortest.Golden(t, *update, "runs", got.String())
}

// A run whose sender counts files, while none arrives, is not stalled.
func TestARunInProgressIsNeverStalled(t *testing.T) {
	t.Parallel()
	const sweepEvery = 2
	known := snapshot.Run{}
	for minute := range 180 {
		at := now.Add(time.Duration(minute) * time.Minute)
		one := state("Exported", 1, int64(minute+2), countedAgo(0))
		got := report.New("run", store.RunState{Run: &known, Collections: []store.State{one}}, settings, at)
		if got.State != report.InProgress {
			t.Fatalf("%s after %d minutes", got.State, minute)
		}
		if minute%sweepEvery == 0 {
			tally := &snapshot.Tally{}
			tally.Add(*one.Row, nil)
			known.Progress, _ = known.Stall(tally, at, settings.StalledAfter)
		}
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

// A shell passes on every argument unchanged. No command line has a NUL: then it names what does not exist, not what
// the shell would leave of it.
func TestCommandLinesArrive(t *testing.T) {
	t.Parallel()
	ids := map[string]string{"run\x00-1": "run\ufffd-1", "caf\xe9\x80": "caf\xe9\x80"}
	for _, id := range operatortest.Hostile {
		ids[id] = id
	}
	for id, arrives := range ids {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			line := report.Command("").Do("why "+report.Flag("run", id), id, "x", id)
			want := []string{"why", "--run=" + arrives}
			if strings.HasPrefix(id, "-") {
				want = append(want, "--")
			}
			if diff := cmp.Diff([][]string{append(want, arrives, "x", arrives)},
				operatortest.Pasted(t, line)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", line, diff)
			}
		})
	}
}

// Each suggestion of why names the deployment, and the run and the collection that it is about.
func TestSuggestionsArrive(t *testing.T) {
	t.Parallel()
	const stack = "--stack=x-prod"
	for name, id := range operatortest.Hostile {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var lines []string
			suggest := func(findings ...report.Finding) {
				for _, finding := range findings {
					for _, next := range finding.Next {
						if at := strings.Index(next, "snapshot-status "); at >= 0 {
							lines = append(lines, next[at:])
						}
					}
				}
			}
			for _, c := range runCases() {
				for i := range c.rows {
					row := *c.rows[i].Row
					row.CorrelationID, row.CollectionName = id, id
					c.rows[i].Row = &row
				}
				if c.run != nil {
					c.run.CorrelationID = id
				}
				run := report.New(id, store.RunState{Run: c.run, Collections: c.rows}, settings, now)
				suggest(report.Why(run, c.around, "snapshot-status "+stack)...)
				for _, collection := range run.Collections {
					suggest(report.WhyCollection(run, collection, "snapshot-status "+stack))
				}
			}
			calls := operatortest.Pasted(t, lines...)
			if len(calls) != len(lines) || len(calls) < 20 {
				t.Errorf("%d calls of %d suggestions", len(calls), len(lines))
			}
			for _, arguments := range calls {
				named := operatortest.Names(arguments, id) || arguments[1] == "pending" || arguments[1] == "runs"
				if arguments[0] != stack || !named {
					t.Errorf("not about run %q: %q", id, arguments)
				}
			}
		})
	}
}

package quota_test

import (
	"math"
	"testing"

	"snapshot-status-checker/internal/price"
	"snapshot-status-checker/internal/quota"
)

// boundless are limits that bind nothing, besides those that are given.
func boundless(limits map[quota.Kind]quota.Limit) quota.Limits {
	var all quota.Limits
	for kind := range all {
		all[kind] = quota.Limit{Rate: 1e12, Burst: 1e12}
	}
	for kind, limit := range limits {
		all[kind] = limit
	}
	return all
}

// instant are measures under which nothing takes time but what a case sets.
func instant(set func(*quota.Measures)) quota.Measures {
	m := quota.Assumed
	m.Receive, m.Start, m.State, m.ExpressState, m.Cold, m.Call, m.Read = 0, 0, 0, 0, 0, 0, 0
	m.Update, m.Look, m.Reply = 0, 0, 0
	if set != nil {
		set(&m)
	}
	return m
}

// Each quota alone, against a time that is worked out by hand. A run has one message more for each collection than
// files: its _success file.
func TestOneQuotaBinds(t *testing.T) {
	t.Parallel()
	const files = 1000
	one := quota.Shape{Files: files, Collections: 1, Active: 1}
	many := quota.Shape{Files: files, Collections: 100, Active: 100}
	small := quota.Shape{Files: 40, Collections: 1, Active: 1} // turns no page
	tests := []struct {
		name     string
		kind     quota.Kind
		limit    quota.Limit
		shape    quota.Shape
		settings quota.Settings
		measures func(*quota.Measures)
		want     float64 // s
	}{
		{"starts", quota.Starts, quota.Limit{Rate: 10, Burst: 1}, one, quota.Settings{Workflow: quota.Standard,
			BatchSize: 1}, nil,
			(files + 1 - 1) / 10.},
		{"starts after a burst", quota.Starts, quota.Limit{Rate: 10, Burst: 501}, one,
			quota.Settings{Workflow: quota.Standard, BatchSize: 1}, nil,
			(files + 1 - 501) / 10.},
		{"starts of batches", quota.Starts, quota.Limit{Rate: 10, Burst: 1}, one,
			quota.Settings{Workflow: quota.Standard, BatchSize: 10}, nil,
			(files/10 + 1 - 1) / 10.},
		{"Express starts", quota.ExpressStarts, quota.Limit{Rate: 10, Burst: 1}, one,
			quota.Settings{Workflow: quota.Express, BatchSize: 1}, nil,
			(files + 1 - 1) / 10.},
		// 2 states a receipt, 6 for reconciling a collection that is received, 5 for one that is successful.
		{"transitions", quota.Transitions, quota.Limit{Rate: 100, Burst: 1}, one,
			quota.Settings{Workflow: quota.Standard, BatchSize: 1}, nil,
			(2*(files+1) + 6 + 5 - 1) / 100.},
		{"the pipe's pollers, one second each", quota.PipePollers, quota.Limit{Burst: 5}, one,
			quota.Settings{Workflow: quota.Standard, BatchSize: 1},
			func(m *quota.Measures) { m.Receive = 1 }, files/5 + 1},
		{"the pipe's pollers, held by Express", quota.PipePollers, quota.Limit{Burst: 5}, one,
			quota.Settings{Workflow: quota.Express, BatchSize: 1},
			func(m *quota.Measures) { m.Call = 1 }, files/5 + 1},
		// Tried again every second.
		{"open executions, 9.5 s each", quota.OpenExecutions, quota.Limit{Burst: 1},
			quota.Shape{Files: 20, Collections: 1, Active: 1},
			quota.Settings{Workflow: quota.Standard, BatchSize: 1}, func(m *quota.Measures) { m.Call = 9.5 }, 21 * 10},
		// Receipts and the count, one unit each; receipts of ten messages are more than 1 KB.
		{"a collection's writes, one by one", quota.CollectionWrites, quota.Limit{Rate: 10, Burst: 0}, small,
			quota.Settings{Workflow: quota.Express, BatchSize: 1}, nil, 2 * (40 + 1) / 10.},
		{"a collection's writes, ten at a time", quota.CollectionWrites, quota.Limit{Rate: 10, Burst: 0}, small,
			quota.Settings{Workflow: quota.Express, BatchSize: 10}, nil, (4*(2+1) + 2) / 10.},
		{"the ledger's writes", quota.LedgerWrites, quota.Limit{Rate: 100, Burst: 0}, many,
			quota.Settings{Workflow: quota.Express, BatchSize: 1}, nil, 2 * (files + 100) / 100.},
		// An update for each file, and one for each of a collection's two moves.
		{"the run's writes", quota.RunWrites, quota.Limit{Rate: 100, Burst: 0},
			quota.Shape{Files: files, Collections: files, Active: 1},
			quota.Settings{Workflow: quota.Express, BatchSize: 1}, nil, (files + 2*files) / 100.},
		{"the run's writes, split over 2 partitions", quota.RunWrites, quota.Limit{Rate: 100, Burst: 0},
			quota.Shape{Files: files, Collections: files, Active: 1, Partitions: 2},
			quota.Settings{Workflow: quota.Express, BatchSize: 1}, nil, (files + 2*files) / 200.},
		// A row for each message, 4 and 3 in a collection's two reconciliations.
		{"the run's reads", quota.RunReads, quota.Limit{Rate: 100, Burst: 0}, many,
			quota.Settings{Workflow: quota.Express, BatchSize: 1}, nil, (files + 100 + 7*100) / 100.},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := quota.Run(tt.shape, tt.settings, boundless(map[quota.Kind]quota.Limit{tt.kind: tt.limit}),
				instant(tt.measures), 1)
			if math.Abs(r.Duration-tt.want) > 0.02*tt.want {
				t.Errorf("%.2f s, want %.2f", r.Duration, tt.want)
			}
			if most, _ := r.Most(); most != tt.kind {
				t.Errorf("waited longest for %s, want %s", most, tt.kind)
			}
			if !r.Complete || r.GivenUp != 0 {
				t.Errorf("complete: %t, %d given up", r.Complete, r.GivenUp)
			}
		})
	}
}

// The senders' own writes are held up by the run's partition, and with them their messages.
func TestSendersShareTheRunsPartition(t *testing.T) {
	t.Parallel()
	limits := boundless(map[quota.Kind]quota.Limit{quota.RunWrites: {Rate: 100, Burst: 1}})
	shape := quota.Shape{Files: 2000, Collections: 1, Active: 1, Rate: 1000}
	r := quota.Run(shape, quota.Settings{Workflow: quota.Express, BatchSize: 1}, limits, instant(nil), 1)
	if want := 2 * 2000 / 100.; math.Abs(r.Duration-want) > 0.05*want {
		t.Errorf("%.1f s, want %.1f: a write of the sender and one of ours for each file", r.Duration, want)
	}
}

// Every 48 files a page is turned, which takes two updates. Who has read before that is refused once, and a process
// reads the pages that others wrote.
func TestPages(t *testing.T) {
	t.Parallel()
	const files, turned = 480, 10
	shape := quota.Shape{Files: files, Collections: 1, Active: 1}
	one := boundless(map[quota.Kind]quota.Limit{quota.PipePollers: {Burst: 1}})
	r := quota.Run(shape, quota.Settings{Workflow: quota.Express, BatchSize: 1}, one, instant(nil), 1)
	// The run; receipts, count and row; pages; the _success file; what its two reconciliations write.
	if want := 1 + 3*files + 2*turned + 2 + 4.; r.Usage[price.WriteUnit] != want {
		t.Errorf("%.0f write units, want %.0f", r.Usage[price.WriteUnit], want)
	}
	if r.PagesRead != 0 || r.Refused != 0 {
		t.Errorf("%d pages read and %d updates refused in one process that wrote them all", r.PagesRead, r.Refused)
	}
	slow := func(m *quota.Measures) { m.Update = 0.01 }
	side := quota.Run(shape, quota.Settings{Workflow: quota.Express, BatchSize: 1}, boundless(nil), instant(slow), 1)
	if side.PagesRead == 0 || side.Refused == 0 || !side.Complete {
		t.Errorf("%d pages read and %d updates refused in many processes, complete: %t", side.PagesRead, side.Refused,
			side.Complete)
	}
	large := quota.Shape{Files: 6_800_000, Collections: 1, Active: 1} // more pages than a process keeps
	if r := quota.Run(large, quota.Settings{Workflow: quota.Express, BatchSize: 100}, one, instant(nil),
		1); r.PagesRead < 300<<16 {
		t.Errorf("%d pages read, want all of them each time", r.PagesRead)
	}
}

// Calls above the concurrency are refused and tried again; when the retries are used up, the messages are given up.
func TestConcurrency(t *testing.T) {
	t.Parallel()
	shape := quota.Shape{Files: 3000, Collections: 1, Active: 1}
	settings := quota.Settings{Workflow: quota.Standard, BatchSize: 1, Reserved: 2}
	slow := func(m *quota.Measures) { m.Call = 1 }
	r := quota.Run(shape, settings, boundless(nil), instant(slow), 1)
	if r.MostCalls != 2 || r.GivenUp == 0 || r.Complete {
		t.Errorf("%d calls at a time, %d given up, complete: %t", r.MostCalls, r.GivenUp, r.Complete)
	}
	// 9 pauses of at most 1, 2, 4 … 32, 60, 60 and 60 s.
	if longest := 63.0 + 3*60 + 2; r.Duration > longest {
		t.Errorf("%.0f s, although the last is given up after %.0f", r.Duration, longest)
	}
	if refused := r.Waits[quota.Concurrency].Throttled; refused != r.Retries {
		t.Errorf("%d refused, %d retries", refused, r.Retries)
	}
	settings.Reserved = 0
	limited := boundless(map[quota.Kind]quota.Limit{quota.Concurrency: {Burst: 2}})
	if account := quota.Run(shape, settings, limited, instant(slow), 1); account.Duration != r.Duration {
		t.Errorf("the account's concurrency: %.0f s, reserved: %.0f s", account.Duration, r.Duration)
	}
	few := boundless(map[quota.Kind]quota.Limit{quota.Environments: {Rate: 0.001, Burst: 2}})
	if fresh := quota.Run(shape, settings, few, instant(slow), 1); fresh.MostCalls != 2 {
		t.Errorf("%d calls at a time in 2 environments", fresh.MostCalls)
	}
}

// What EXPRESS gives up comes back to the queue, and is counted in the end.
func TestExpressReturnsMessages(t *testing.T) {
	t.Parallel()
	shape := quota.Shape{Files: 500, Collections: 1, Active: 1}
	settings := quota.Settings{Workflow: quota.Express, BatchSize: 1, Reserved: 1}
	r := quota.Run(shape, settings, boundless(nil), instant(func(m *quota.Measures) { m.Call = 1 }), 1)
	if r.Returned == 0 || r.Duration < 360 || r.Executions != 501+r.Returned ||
		r.Usage[price.SQSRequest] != 2*float64(r.Executions) {
		t.Errorf("%d messages returned, %d executions, %.0f s, %.0f requests of the queue", r.Returned, r.Executions,
			r.Duration, r.Usage[price.SQSRequest])
	}
	if !r.Complete {
		t.Errorf("%d given up", r.GivenUp)
	}
}

// A new table doubles what it takes in half an hour in which it is short.
func TestLedgerGrows(t *testing.T) {
	t.Parallel()
	limits := boundless(map[quota.Kind]quota.Limit{quota.LedgerWrites: {Rate: 2, Burst: 0},
		quota.PipePollers: {Burst: 10}})
	// A message needs 2 units: one a second, then two, then four. No collection has as many as turn a page.
	shape := quota.Shape{Files: 1800 + 3600 + 900 - 150, Collections: 150, Active: 1}
	r := quota.Run(shape, quota.Settings{Workflow: quota.Express, BatchSize: 1}, limits, instant(nil), 1)
	if want := 1800 + 1800 + 225.; math.Abs(r.Duration-want) > 0.02*want {
		t.Errorf("%.0f s, want %.0f", r.Duration, want)
	}
}

// What a run of nothing but receipts uses, counted by hand.
func TestUsage(t *testing.T) {
	t.Parallel()
	shape := quota.Shape{Files: 500, Collections: 10, Active: 10}
	limits := quota.PublishedLimits()
	standard := quota.Run(shape, quota.Settings{Workflow: quota.Standard, BatchSize: 1}, limits, instant(nil), 1)
	want := price.Usage{
		price.StateTransition: 2*510 + 10*(6+5+5), // receipts; collections received, successful, status changed
		price.LambdaRequest:   510 + 10*(3+2+2),
		price.SQSRequest:      2 * 510,
		price.SQSFIFORequest:  10,
		price.PipesRequest:    510 + 10,
		// and pages; the run is registered by 5 processes
		price.WriteUnit: 2*510 + 500 + 10*2 + 10*(2+1+1) + 5,
		// and twice the whole run; it takes no time, so there is no sweep
		price.ReadUnit: 2*510 + float64(standard.PagesRead) + 10*(10+7+2) + 2*1,
	}
	for d, quantity := range want {
		if quantity != 0 && standard.Usage[d] != quantity {
			t.Errorf("%s: %v, want %v", price.List[d].Name, standard.Usage[d], quantity)
		}
	}
	express := quota.Run(shape, quota.Settings{Workflow: quota.Express, BatchSize: 1}, limits, instant(nil), 1)
	if express.Usage[price.StateTransition] != 0 || express.Usage[price.ExpressRequest] != 510+10 {
		t.Errorf("EXPRESS: %v transitions, %v requests", express.Usage[price.StateTransition],
			express.Usage[price.ExpressRequest])
	}
}

package quota_test

import (
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"snapshot-status-checker/internal/price"
	"snapshot-status-checker/internal/quota"
)

func shapes() *rapid.Generator[quota.Shape] {
	return rapid.Custom(func(t *rapid.T) quota.Shape {
		collections := rapid.IntRange(1, 30).Draw(t, "collections")
		return quota.Shape{
			Collections: collections,
			Files:       collections * rapid.IntRange(1, 30).Draw(t, "files of each"),
			Spread:      rapid.SampledFrom([]quota.Spread{quota.Even, quota.Skewed, quota.Hot}).Draw(t, "spread"),
			Active:      rapid.IntRange(1, 30).Draw(t, "active"),
			Rate:        rapid.SampledFrom([]float64{0, 1, 20, 500}).Draw(t, "rate"),
		}
	})
}

func settings() *rapid.Generator[quota.Settings] {
	return rapid.Custom(func(t *rapid.T) quota.Settings {
		return quota.Settings{
			Workflow:  rapid.SampledFrom([]quota.Workflow{quota.Standard, quota.Express}).Draw(t, "workflow"),
			BatchSize: rapid.SampledFrom([]int{1, 2, 10, 99, 100}).Draw(t, "batchSize"),
			Window:    rapid.SampledFrom([]float64{0, 1, 5}).Draw(t, "window"),
			Reserved:  rapid.SampledFrom([]int{0, 0, 1, 3}).Draw(t, "reserved"),
		}
	})
}

// A run ends, with every message counted or given up, and the same again for the same seed.
func TestEveryRunEnds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		shape, set, seed := shapes().Draw(t, "shape"), settings().Draw(t, "settings"), rapid.Uint64().Draw(t, "seed")
		r := quota.Run(shape, set, quota.PublishedLimits(), quota.Assumed, seed)
		if r.Complete == (r.GivenUp > 0) {
			t.Errorf("complete: %t, although %d messages are given up", r.Complete, r.GivenUp)
		}
		if r.Complete && (r.Executions > shape.Files+shape.Collections || r.Executions*set.BatchSize < shape.Files+
			shape.Collections) {
			t.Errorf("%d executions for %d messages", r.Executions, shape.Files+shape.Collections)
		}
		if shape.Rate > 0 && r.Duration < float64(shape.Files-1)/shape.Rate*0.99 {
			t.Errorf("done after %.1f s, before the last file came", r.Duration)
		}
		for kind, wait := range r.Waits {
			if wait.Bound > r.Duration+100 {
				t.Errorf("%s: waited for %.0f s of %.0f", quota.Kind(kind), wait.Bound, r.Duration)
			}
		}
		if diff := cmp.Diff(r.Usage, quota.Run(shape, set, quota.PublishedLimits(), quota.Assumed,
			seed).Usage); diff != "" {
			t.Errorf("run twice (-once +again)\n%s", diff)
		}
	})
}

// Where nothing depends on chance (no time in which transactions could meet, no call refused), a higher quota never
// makes a run slower.
func TestHigherQuotasAreNotSlower(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		shape, set := shapes().Draw(t, "shape"), settings().Draw(t, "settings")
		// one collection after the other: batches do not depend on chance
		shape.Active, set.Reserved, set.Window = 1, 0, 0
		shape.Rate = 0
		limited := map[quota.Kind]quota.Limit{}
		for _, kind := range []quota.Kind{quota.Starts, quota.ExpressStarts, quota.Transitions, quota.CollectionWrites,
			quota.LedgerWrites, quota.RunWrites, quota.RunReads} {
			rate := float64(rapid.IntRange(300, 3000).Draw(t, kind.String()))
			limited[kind] = quota.Limit{Rate: rate, Burst: rate}
		}
		before := quota.Run(shape, set, boundless(limited), instant(nil), 1)
		for kind, limit := range limited {
			limited[kind] = quota.Limit{Rate: 2 * limit.Rate, Burst: 2 * limit.Burst}
		}
		after := quota.Run(shape, set, boundless(limited), instant(nil), 1)
		if after.Duration > before.Duration+1e-9 {
			t.Errorf("%.3f s, with twice the quotas %.3f s", before.Duration, after.Duration)
		}
	})
}

// More files use no less of anything that is billed, and take no less time.
func TestMoreFilesCostMore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		shape, set := shapes().Draw(t, "shape"), settings().Draw(t, "settings")
		shape.Spread, set.Reserved, set.Window = quota.Even, 0, 0
		shape.Rate, shape.Active = 0, 1
		more := shape
		more.Files *= rapid.IntRange(2, 5).Draw(t, "times")
		few := quota.Run(shape, set, quota.PublishedLimits(), instant(nil), 1)
		many := quota.Run(more, set, quota.PublishedLimits(), instant(nil), 1)
		for _, d := range []price.Dimension{price.StateTransition, price.ExpressRequest, price.LambdaRequest,
			price.WriteUnit, price.SQSRequest, price.LogGB} {
			if many.Usage[d] < few.Usage[d] {
				t.Errorf("%s: %v for %d files, %v for %d", price.List[d].Name, few.Usage[d], shape.Files, many.Usage[d],
					more.Files)
			}
		}
		if many.Duration < few.Duration {
			t.Errorf("%v s for %d files, %v for %d", few.Duration, shape.Files, many.Duration, more.Files)
		}
	})
}

// Every quota says who says so, and what moves it.
func TestEveryQuotaHasASource(t *testing.T) {
	t.Parallel()
	for kind, q := range quota.Published {
		u, err := url.Parse(q.Source)
		if q.Name == "" || q.Unit == "" || q.Read == "" || q.Moves == "" || err != nil || u.Scheme != "https" {
			t.Errorf("quota %d: %+v", kind, q)
		}
	}
}

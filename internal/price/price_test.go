package price_test

import (
	"cmp"
	"math"
	"slices"
	"testing"
	"time"

	"snapshot-status-checker/internal/price"
)

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(1, math.Abs(a), math.Abs(b)) }

// The wanted sums are calculated by hand from AWS's pages.
func TestBill(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		usage price.Usage
		want  float64
	}{
		{"nothing", price.Usage{}, 0},
		{"a million messages sent, received and deleted one by one", price.Usage{price.SQSRequest: 3e6}, 1.20},
		{"a million write units and reads", price.Usage{price.WriteUnit: 1e6, price.ReadUnit: 1e6}, 0.705 + 0.1415},
		// Example 3 of https://aws.amazon.com/step-functions/pricing/: 100 million executions of 10 s in 64 MB.
		{"AWS's example of Express", price.Usage{price.ExpressRequest: 100e6, price.ExpressGBSecond: 62.5e6},
			100 + 60 + 120 + 0.01642*(62.5e6/3600-5000)},
		{"Express up to the first tier", price.Usage{price.ExpressGBSecond: 1000 * 3600}, 60},
		{"Express a little into the second tier", price.Usage{price.ExpressGBSecond: 1001 * 3600}, 60.03},
		{"10 GB of logs", price.Usage{price.LogGB: 10}, 5.70},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := price.List.Bill(tt.usage).Total(); !near(got, tt.want) {
				t.Errorf("%v USD, want %v", got, tt.want)
			}
		})
	}
}

func TestUSDOfSomeDimensions(t *testing.T) {
	t.Parallel()
	bill := price.List.Bill(price.Usage{price.WriteUnit: 1e6, price.LambdaRequest: 1e6}.Times(2))
	if got := bill.USD(price.WriteUnit, price.ReadUnit); !near(got, 1.41) {
		t.Errorf("DynamoDB's share is %v, want 1.41", got)
	}
}

func TestCounting(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	tests := []struct {
		name      string
		got, want float64
	}{
		{"an empty payload is one chunk", price.Chunks(0), 1},
		{"64 KiB are one chunk", price.Chunks(65536), 1},
		{"a byte more is two", price.Chunks(65537), 2},
		{"a missing item costs a read", price.ReadUnits(0), 1},
		{"4 KiB", price.ReadUnits(4096), 1},
		{"a byte more than 4 KiB", price.ReadUnits(4097), 2},
		{"a page of 20 rows", price.RowsUnits(20), 1},
		{"a page of 200 rows", price.RowsUnits(200), 10},
		{"Lambda rounds up to 1 ms", price.LambdaGBSeconds(10*ms+1, 512), 0.011 * 0.5},
		{"Lambda does not round a whole ms", price.LambdaGBSeconds(10*ms, 1024), 0.010},
		{"Express rounds up to 100 ms and 64 MB", price.ExpressGBSeconds(101*ms, 51), 0.2 / 16},
		{"Express in more than 64 MB", price.ExpressGBSeconds(100*ms, 65), 0.1 / 8},
		// Example 4 of the pricing page: 400 branches of 32 KB with a definition of 50 KB.
		{"Express memory", price.ExpressMemoryMB(50e3, 32e3, 400), 62.85},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if !near(tt.got, tt.want) {
				t.Errorf("%v, want %v", tt.got, tt.want)
			}
		})
	}
}

// Tiers rise to the last, which has no bound.
func TestTiersRise(t *testing.T) {
	t.Parallel()
	for d, tiers := range price.List {
		last := len(tiers) - 1
		rises := func(a, b price.Tier) int { return cmp.Compare(a.Upto, b.Upto) }
		if last < 0 || tiers[last].Upto != 0 || !slices.IsSortedFunc(tiers[:last], rises) {
			t.Errorf("dimension %d: tiers %+v", d, tiers)
		}
	}
}

package quota

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"snapshot-status-checker/internal/price"
)

// Table is one of the tables of docs/scaling.md.
type Table struct {
	Name string // as the document's markers say it
	Head []string
	Rows [][]string
}

// Markdown is the table as the document holds it.
func (t Table) Markdown() string {
	var text strings.Builder
	line := func(cells []string) { fmt.Fprintf(&text, "| %s |\n", strings.Join(cells, " | ")) }
	line(t.Head)
	text.WriteString("|:---" + strings.Repeat("|---:", len(t.Head)-1) + "|\n")
	for _, row := range t.Rows {
		line(row)
	}
	return text.String()
}

// All are the document's tables, in its order.
func All() []Table {
	part := each(compared, func(s Settings) Result { return assumed(large, s) })
	return []Table{quotaTable(), rateTable(), moveTable(), largeTable(part), shareTable(part), waitingTable(),
		denseTable(), hotTable()}
}

const seed = 1

// compared are the settings that the tables compare.
var compared = []Settings{
	{Workflow: Standard, BatchSize: 1},
	{Workflow: Standard, BatchSize: 10, Window: 1},
	{Workflow: Standard, BatchSize: 100, Window: 1},
	{Workflow: Express, BatchSize: 1},
	{Workflow: Express, BatchSize: 10, Window: 1},
	{Workflow: Express, BatchSize: 100, Window: 1},
}

// side is how many collections a run's senders send at the same time: 150 machines.
const side = 150

// parts is into how many parts the largest run is cut.
const parts = 20

// The shapes of the document.
var (
	// Of 10 million files and 10,000 collections only a part is modelled: the rest goes on as the first part does.
	large = Shape{Name: "10 million files, 10,000 collections", Files: 10_000_000 / parts,
		Collections: 10_000 / parts, Spread: Even, Active: side, Rate: 400}
	hot = Shape{Name: "one collection of 100,000 files", Files: 100_000, Collections: 1, Spread: Hot, Active: 1,
		Rate: 200}
	waiting = Shape{Name: "200,000 messages wait", Files: 200_000, Collections: 200, Spread: Even, Active: side}
	dense   = Shape{Name: "25,000 files, 200 collections", Files: 25_000, Collections: 200, Spread: Skewed,
		Active: side, Rate: 100}
)

// each makes something of each, side by side: the rows of a table.
func each[T, R any](of []T, row func(T) R) []R {
	rows := make([]R, len(of))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, one := range of {
		group.Go(func() error {
			rows[i] = row(one)
			return nil
		})
	}
	_ = group.Wait() // no row fails
	return rows
}

func assumed(shape Shape, settings Settings) Result {
	return Run(shape, settings, PublishedLimits(), Assumed, seed)
}

func quotaTable() Table {
	t := Table{Name: "quotas", Head: []string{"quota", "default", "moved by"}}
	for _, q := range Published {
		if q.Limit == (Limit{}) {
			continue
		}
		limit := fmt.Sprintf("%s %s", thousands(q.Limit.Rate), q.Unit)
		if q.Limit.Rate == 0 {
			limit = fmt.Sprintf("%s %s", thousands(q.Limit.Burst), q.Unit)
		} else if q.Limit.Burst != q.Limit.Rate {
			limit += fmt.Sprintf(", %s at once", thousands(q.Limit.Burst))
		}
		t.Rows = append(t.Rows, []string{fmt.Sprintf("[%s](%s)", q.Name, q.Source), limit, q.Moves})
	}
	return t
}

// rateTable says up to which rate settings keep up with the senders.
func rateTable() Table {
	return Table{Name: "rates",
		Head: []string{"settings", "files a second", "what binds beyond", "one collection: files a second",
			"what binds beyond"},
		Rows: each(compared, func(s Settings) []string {
			mixed, binds := keepsUp(Shape{Spread: Even, Active: side}, s, PublishedLimits())
			one, oneBinds := keepsUp(Shape{Spread: Hot, Active: 1, Collections: 1}, s, PublishedLimits())
			return []string{s.String(), thousands(mixed), binds, thousands(one), oneBinds}
		})}
}

// change is something that moves the rate up to which a run is kept up with.
type change struct {
	name     string
	settings Settings
	shape    Shape
	limits   func(*Limits)
}

func moveTable() Table {
	standard, ten, hundred := compared[0], compared[4], compared[5]
	mixed := Shape{Spread: Even, Active: side}
	changes := []change{
		{"3 times the quota of starts", standard, mixed, func(l *Limits) { l[Starts] = Limit{900, 3900} }},
		{"the run's rows split over 2 partitions", ten, Shape{Spread: Even, Active: side, Partitions: 2}, nil},
		{"the run's rows split over 4 partitions", ten, Shape{Spread: Even, Active: side, Partitions: 4}, nil},
		{"10 collections sent at a time", ten, Shape{Spread: Even, Active: 10}, nil},
		{"10 collections sent at a time", hundred, Shape{Spread: Even, Active: 10}, nil},
		{"1,500 collections sent at a time", hundred, Shape{Spread: Even, Active: 1500}, nil},
		{"batchWindowSeconds 5", Settings{Workflow: Express, BatchSize: 100, Window: 5}, mixed, nil},
		{"reserved concurrency 20", Settings{Workflow: Express, BatchSize: 10, Window: 1, Reserved: 20}, mixed, nil},
	}
	return Table{Name: "moves", Head: []string{"settings", "with", "files a second", "what binds beyond"},
		Rows: each(changes, func(c change) []string {
			limits := PublishedLimits()
			if c.limits != nil {
				c.limits(&limits)
			}
			rate, binds := keepsUp(c.shape, c.settings, limits)
			name := Settings{Workflow: c.settings.Workflow, BatchSize: c.settings.BatchSize,
				Window: min(1, c.settings.Window)}
			return []string{name.String(), c.name, thousands(rate), binds}
		})}
}

const (
	sending    = 200 // s of files that a rate is tried with
	late       = 1.02 * sending
	promptly   = 6  // s, of which the request for the _success file and its look take 3
	resolution = 20 // files a second
	most       = 5120
)

// keepsUp finds the highest rate at which a shape's files are counted as they come, and what binds above it.
//
// It is kept up with if the senders are done in time, the last collection is successful 6 s and two windows after the
// last file, and nothing is given up. A bucket's burst may lend up to a resolution more than what lasts.
func keepsUp(shape Shape, settings Settings, limits Limits) (rate float64, binds string) {
	try := func(steps int) (Result, bool) {
		s := shape
		s.Rate = float64(steps * resolution)
		s.Files = int(s.Rate * sending)
		if s.Spread == Even {
			s.Collections = max(s.Files/1000, 2*s.Active)
		}
		r := Run(s, settings, limits, Assumed, seed)
		return r, r.Complete && r.Delivered <= late && r.Duration-r.Delivered <= promptly+2*settings.Window
	}
	low, high := 0, 1
	for ; high*resolution <= most; high *= 2 {
		if _, ok := try(high); !ok {
			break
		}
		low = high
	}
	for high-low > 1 {
		middle := (low + high) / 2
		if _, ok := try(middle); ok {
			low = middle
		} else {
			high = middle
		}
	}
	r, _ := try(high)
	kind, _ := r.Most()
	if r.Delivered > late { // the senders could not write as fast
		kind = RunWrites
	}
	return float64(low * resolution), kind.String()
}

// largeTable is the run of 10 million files.
func largeTable(part []Result) Table {
	t := Table{Name: "large",
		Head: []string{"settings", "hours", "behind the senders", "executions", "groups in a batch", "calls at a time",
			"waited for longest", "given up", "USD"}}
	for i, r := range part {
		t.Rows = append(t.Rows, []string{compared[i].String(), fmt.Sprintf("%.1f", r.Duration*parts/3600),
			lag(r, parts), thousands(float64(r.Executions) * parts),
			fmt.Sprintf("%.1f", float64(r.Groups)/float64(r.Executions)), thousands(float64(r.MostCalls)), held(r),
			thousands(float64(r.GivenUp) * parts), usd(price.List.Bill(r.Usage.Times(parts)).Total())})
	}
	return t
}

// shareTable says what of it costs what.
func shareTable(part []Result) Table {
	type share struct {
		name string
		of   []price.Dimension
	}
	shares := []share{
		{"Step Functions", []price.Dimension{price.StateTransition, price.ExpressRequest, price.ExpressGBSecond}},
		{"Lambda", []price.Dimension{price.LambdaRequest, price.LambdaGBSecond}},
		{"DynamoDB", []price.Dimension{price.ReadUnit, price.WriteUnit, price.StreamRead, price.TableGBMonth,
			price.BackupGBMonth}},
		{"queues and pipes", []price.Dimension{price.SQSRequest, price.SQSFIFORequest, price.PipesRequest}},
		{"logs and traces", []price.Dimension{price.LogGB, price.Trace}},
	}
	t := Table{Name: "shares", Head: []string{"USD of it"}}
	for _, s := range shares {
		t.Head = append(t.Head, s.name)
	}
	for i, r := range part {
		bill := price.List.Bill(r.Usage.Times(parts))
		row := []string{compared[i].String()}
		for _, share := range shares {
			row = append(row, usd(bill.USD(share.of...)))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func waitingTable() Table {
	settings := slices.Concat(compared, []Settings{
		{Workflow: Standard, BatchSize: 3},
		{Workflow: Standard, BatchSize: 10, Window: 1, Reserved: 100},
		{Workflow: Express, BatchSize: 10, Window: 1, Reserved: 100},
	})
	return Table{Name: "waiting", Head: []string{"settings", "minutes", "waited for longest", "calls at a time",
		"came back", "given up"},
		Rows: each(settings, func(s Settings) []string {
			r := assumed(waiting, s)
			return []string{s.String(), fmt.Sprintf("%.0f", r.Duration/60), held(r), thousands(float64(r.MostCalls)),
				thousands(float64(r.Returned)), thousands(float64(r.GivenUp))}
		})}
}

func denseTable() Table {
	return Table{Name: "dense", Head: []string{"settings", "behind the senders", "executions", "calls at a time",
		"waited for longest", "USD"},
		Rows: each(compared, func(s Settings) []string {
			r := assumed(dense, s)
			return []string{s.String(), lag(r, 1), thousands(float64(r.Executions)), thousands(float64(r.MostCalls)),
				held(r), usd(r.Bill().Total())}
		})}
}

func hotTable() Table {
	settings := slices.Concat(compared, []Settings{{Workflow: Express, BatchSize: 100, Window: 5}})
	return Table{Name: "hot", Head: []string{"settings", "behind the senders", "updates of the ledger", "pages read",
		"waited for longest", "given up", "USD"},
		Rows: each(settings, func(s Settings) []string {
			r := assumed(hot, s)
			return []string{s.String(), lag(r, 1), thousands(float64(r.Groups + r.Refused)),
				thousands(float64(r.PagesRead)), held(r),
				thousands(float64(r.GivenUp)), usd(price.List.Bill(r.Usage).Total())}
		})}
}

// lag is how long after the last file a run ended, if a part of it was modelled that is to be taken so many times.
func lag(r Result, times float64) string {
	late := (r.Duration - r.Delivered)
	if late > 60 && r.Complete { // it falls behind, more and more
		late *= times
	}
	return (time.Duration(late) * time.Second).String()
}

// held is what was waited for longest, and for how much of the time.
func held(r Result) string {
	kind, ok := r.Most()
	if !ok {
		return "nothing"
	}
	return fmt.Sprintf("%s (%.0f %%)", kind, 100*r.Waits[kind].Bound/r.Duration)
}

func usd(amount float64) string { return fmt.Sprintf("%.2f", amount) }

// thousands writes a number with commas.
func thousands(n float64) string {
	digits := fmt.Sprintf("%.0f", n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

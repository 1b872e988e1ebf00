// Package logs reads the log lines that a deployment's functions wrote about a run.
package logs

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"strings"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

// Retention is how long the stack's log groups keep their lines (infra/functions.go).
const Retention = 30 * 24 * time.Hour

// ErrNoGroup reports a log group that does not exist.
var ErrNoGroup = errors.New("there is no such log group")

// Client is the CloudWatch Logs of a deployment.
type Client = cloudwatchlogs.Client

// maxAttempts is how often a call is tried: an account may make few calls of FilterLogEvents a second.
const maxAttempts = 10

// New reads the logs of an account.
func New(config aws.Config) *Client {
	return cloudwatchlogs.NewFromConfig(config, func(o *cloudwatchlogs.Options) { o.RetryMaxAttempts = maxAttempts })
}

// OfRun passes the lines of a log group that may be about a run to visit, each once, page by page, from a moment on
// (the zero time for all). Lines about other runs are among them. It keeps 8 bytes of each line.
//
// CloudWatch may have taken a line twice; it is passed once. Its lines are never the same otherwise, since each has the
// nanosecond at which it was written.
func OfRun(
	ctx context.Context, client *Client, group, run string, from time.Time, visit func(line []byte),
) error {
	seen, seed, next := map[uint64]bool{}, maphash.MakeSeed(), max(0, from.UnixMilli())
	for {
		last, full, err := read(ctx, client, group, run, next, func(line string) {
			if hash := maphash.String(seed, line); !seen[hash] {
				seen[hash] = true
				visit([]byte(line))
			}
		})
		missing := (*types.ResourceNotFoundException)(nil)
		switch {
		case errors.As(err, &missing):
			return fmt.Errorf("log group %s: %w", group, ErrNoGroup)
		case err != nil:
			return fmt.Errorf("reading log group %s: %w", group, err)
		case !full:
			return nil
		case last == next:
			return fmt.Errorf("reading log group %s: more than %d lines at one moment", group, maxEvents)
		}
		next = last
	}
}

// maxEvents is the most events of a page
// (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html).
const maxEvents = 10_000

// read reads all pages from a moment on. full reports that the last one is full: the local engine has no further pages,
// so reading goes on from the time of its last event.
func read(
	ctx context.Context, client *Client, group, run string, from int64, visit func(string),
) (last int64, full bool, err error) {
	pages := cloudwatchlogs.NewFilterLogEventsPaginator(client, &cloudwatchlogs.FilterLogEventsInput{
		LogGroupName: &group, StartTime: &from, FilterPattern: pattern(run)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return last, false, err
		}
		for _, event := range page.Events {
			visit(aws.ToString(event.Message))
			last = max(last, aws.ToInt64(event.Timestamp))
		}
		full = len(page.Events) >= maxEvents
	}
	return last, full, nil
}

// maxPattern is the most characters of a filter pattern, as in the API's reference.
const maxPattern = 1024

// pattern selects the lines about a run. The syntax of patterns has wildcards, and no escapes that are documented
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html): an id that may need them gets
// no pattern, and every line of the group is read.
func pattern(run string) *string {
	special := func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) &&
			!strings.ContainsRune("-_.:/#@+= ", r)
	}
	text := `{ ($.correlation_id = "` + run + `") && ($.message != "metrics") }`
	if strings.ContainsFunc(run, special) || len(text) > maxPattern {
		return nil
	}
	return &text
}

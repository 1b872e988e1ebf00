package command

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"golang.org/x/text/encoding/unicode"

	"snapshot-status-checker/functions/sweep"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/local"
	"snapshot-status-checker/operator/deployment"
)

// services answer as SQS, Step Functions and Lambda do, and note what took effect.
type services struct {
	sent    []string         // texts of messages
	started int              // executions
	swept   int              // calls of the sweep
	old     bool             // the sweep is of a version that ends no runs by hand
	tables  *tables          // of the sweep
	fail    map[string]error // errors of actions: an httpStatus is an answer, others come after the effect
	after   map[string]int   // so many calls of an action that succeed before
}

type httpStatus int

func (httpStatus) Error() string { return "status" }

var errLost = errors.New("connection reset")

func (s *services) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	_, action, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if action == "" {
		action = "Invoke"
	}
	failure := s.fail[action]
	if s.after[action] > 0 {
		s.after[action]--
		failure = nil
	}
	if status := httpStatus(0); errors.As(failure, &status) {
		return respond(r, int(status), map[string]string{"__type": "AccessDeniedException", "message": "denied"})
	}
	var asked struct {
		MessageBody string
		sweep.Input
	}
	_ = json.Unmarshal(body, &asked)
	var reply any
	switch action {
	case "GetQueueAttributes":
		reply = map[string]any{"Attributes": map[string]string{"MaximumMessageSize": "1024"}}
	case "SendMessage":
		s.sent = append(s.sent, asked.MessageBody)
		digest := md5.Sum([]byte(asked.MessageBody))
		reply = map[string]string{"MessageId": "message-1", "MD5OfMessageBody": hex.EncodeToString(digest[:])}
	case "StartExecution":
		s.started++
		reply = map[string]any{"executionArn": "arn", "startDate": 1}
	case "Invoke":
		s.swept++
		reply = sweep.Output{}
		if !s.old && (asked.Abandon != nil || asked.Resume != nil) { // the sweep's own code ends and resumes runs
			reply, err = sweep.New(s.tables.protocol(), nil, nil, slog.New(slog.DiscardHandler)).Handle(r.Context(),
				asked.Input)
		}
	}
	if err = errors.Join(err, failure); err != nil {
		return nil, err
	}
	return respond(r, http.StatusOK, reply)
}

func respond(r *http.Request, status int, reply any) (*http.Response, error) {
	text, err := json.Marshal(reply)
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Request: r, Body: io.NopCloser(bytes.NewReader(text))}, err
}

// says runs a command line with the night's tables and these services.
func (s *services) says(n *tables, in string, out io.Writer, args ...string) said {
	n.Helper()
	s.tables = n
	found := deployment.Deployment{Outputs: local.Outputs{FileReceivedQueueUrl: "https://sqs.example/1/files",
		StateMachineArn: "arn:aws:states:eu-west-1:1:stateMachine:x"},
		Config: aws.Config{Region: "eu-west-1", HTTPClient: s,
			Credentials: credentials.NewStaticCredentialsProvider("x", "y", ""),
			Retryer: func() aws.Retryer {
				return retry.NewStandard(func(o *retry.StandardOptions) {
					o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
				})
			}}}
	return answer(app{Context: n.Context(), out: out, now: n.clock, found: &found, source: n.source}, in, args...)
}

const message = `{"correlation_id":"run-1","collection_name":"db.a","snapshot_type":"full","export_date":"2026-11-22"`

// What cannot be sent exactly is refused.
func TestSendRefusesBeforeItSends(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in, want string
		args     []string
	}{
		"Latin1": {message + `,"filename":"caf` + "\xe9" + `.gz"}`,
			"standard input: line 1 is not UTF-8 (byte 0xe9)", nil},
		"Control":      {message + "}\n\x01", `line 2 has \u0001, which SQS does not accept`, []string{"--as-is"}},
		"Noncharacter": {message + `,"filename":"` + "\ufffe" + `"}`, `line 1 has \ufffe`, nil},
		"TooLarge": {message + `,"filename":"` + strings.Repeat("x", 2000) + `"}`,
			"but the file-received queue accepts at most 1024; nothing was sent", nil},
		"TooLargeInside": {message + `,"filename":"` + strings.Repeat("\\", 500) + `"}`,
			"but the file-received queue accepts at most 1024; nothing was sent", []string{"--identity=id-1"}},
		"LongIdentity": {message + "}", "would have no effect", []string{"--identity=" + strings.Repeat("x", 2000)}},
		"IdentitiesInside": {`{"Records":[{"messageId":"other","body":` + message + "}}]}", "would have no effect",
			[]string{"--identity=id-1"}},
		"Empty":  {"", "there is nothing to send", []string{"--as-is"}},
		"Denied": {message + "}", "nothing was sent", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &services{}
			if name == "Denied" {
				s.fail = map[string]error{"GetQueueAttributes": httpStatus(400)}
			}
			got := s.says(newTables(t), c.in, nil, append([]string{"send", "--from=-", "--yes"}, c.args...)...)
			if got.code != exitFailed || !strings.Contains(got.err, c.want) || len(s.sent) != 0 {
				t.Errorf("%d sent, %+v; want %s", len(s.sent), got, c.want)
			}
		})
	}
}

// A text in another encoding is sent in UTF-8, once.
func TestSendReadsOtherEncodings(t *testing.T) {
	t.Parallel()
	s := &services{}
	text := message + `,"filename":"é"}`
	got := s.says(newTables(t), inUTF16(t, unicode.LittleEndian, unicode.UseBOM, text), nil, "send", "--from=-",
		"--yes")
	if got.code != exitOK || !strings.Contains(got.out, "Sent as message message-1.") || len(s.sent) != 1 ||
		s.sent[0] != text {
		t.Errorf("%q, %+v", s.sent, got)
	}
}

// An error after the effect says what took effect, and whether trying again is safe. What is not safe to try again is
// tried once; the SDK tries everything else three times.
func TestErrorsAfterTheEffect(t *testing.T) {
	t.Parallel()
	full := writer(func([]byte) (int, error) { return 0, errors.New("no space left on device") })
	lost := func(action string) map[string]error { return map[string]error{action: errLost} }
	denied := func(action string) map[string]error { return map[string]error{action: httpStatus(403)} }
	const abandon = "abandon going --reason=x --yes"
	for name, c := range map[string]struct {
		services services
		out      io.Writer
		line     string
		want     string
		effects  int
	}{
		"SendLost": {services{fail: lost("SendMessage")}, nil, "send --from=- --yes",
			"it may have been sent; sent again, it would count twice; check first whether it arrived: " +
				"snapshot-status files run-1 db.a", 1},
		"SendNamedLost": {services{fail: lost("SendMessage")}, nil, "send --from=- --yes --identity=id-1",
			"trying again with the same --identity is safe", 3},
		"SendDenied": {services{fail: denied("SendMessage")}, nil, "send --from=- --yes", "nothing was sent", 0},
		"SendUnwritten": {services{}, full, "send --from=- --yes -o json",
			"no space left on device; the message was sent as message-1, do not send it again", 1},
		"TextUnwritten": {services{}, full, "send --from=- --yes",
			"no space left on device; the message was sent as message-1, do not send it again", 1},
		"RunsUnwritten":       {services{}, full, "runs", "no space left on device\n", 0},
		"PlanUnwritten":       {services{}, full, "simulate", "no space left on device\n", 0},
		"WatchUnwritten":      {services{}, full, "watch many", "no space left on device\n", 0},
		"CompletionUnwritten": {services{}, full, "completion bash", "no space left on device\n", 0},
		"DryUnwritten":        {services{}, full, "send --from=- -o json", "no space left on device\n", 0},
		"ReconcileLost": {services{fail: lost("StartExecution"), after: map[string]int{"StartExecution": 1}}, nil,
			"reconcile --yes many", "1 of 2 executions were started before. Trying again is safe", 4},
		"ReconcileDenied": {services{fail: denied("StartExecution")}, nil, "reconcile --yes many",
			"0 of 2 executions were started before. Trying again is safe", 0},
		"ReconcileUnwritten": {services{}, full, "reconcile --yes -o json many",
			"no space left on device; the executions were started", 2},
		"SweepLost":   {services{fail: lost("Invoke")}, nil, "pending --deliver --yes", "trying again is safe", 3},
		"SweepDenied": {services{fail: denied("Invoke")}, nil, "pending --deliver --yes", "it did not run", 0},
		"SweepUnwritten": {services{}, full, "pending --deliver --yes -o json",
			"no space left on device; the sweep ran", 1},
		"AbandonLost":      {services{fail: lost("Invoke")}, nil, abandon, "trying again is safe", 3},
		"AbandonDenied":    {services{fail: denied("Invoke")}, nil, abandon, "nothing was changed", 0},
		"AbandonUnwritten": {services{}, full, abandon, "no space left on device; the run was abandoned", 1},
		"AbandonByOld":     {services{old: true}, nil, abandon, "of an earlier version", 1},
		"ResumeDenied":     {services{fail: denied("Invoke")}, nil, "reconcile ended --yes", "nothing was changed", 0},
		"ResumedNotStarted": {services{fail: denied("StartExecution")}, nil, "reconcile ended --yes",
			"; the run was taken up again", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newTables(t)
			for i := range snapshot.MaxRequested + 1 {
				n.row("many", fmt.Sprint("c", i), "Sent", 2)
			}
			n.row("going", "db.a", "Sent", 2)
			n.arrive("going", "db.a", "file")
			n.endedByHand("ended")
			s := c.services
			got := s.says(n, message+"}", c.out, strings.Fields(c.line)...)
			effects := len(s.sent) + s.started + s.swept
			if got.code != exitFailed || !strings.Contains(got.err, c.want) || effects != c.effects ||
				strings.Count(got.err, "\n") != 1 {
				t.Errorf("%d effects, %+v; want %d, %s", effects, got, c.effects, c.want)
			}
		})
	}
}

// What was done before an error is reported beside the error's own text, and the exit code stays.
func TestEndKeepsWhatWasAdded(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	err := deployment.AfterEffect(exit{exitNotFound, "no such run"}, "3 rows were written")
	if code := (&app{err: &text}).end(err); code != exitNotFound ||
		text.String() != "snapshot-status: no such run; 3 rows were written\n" {
		t.Errorf("exit code %d, %q", code, text.String())
	}
}

// Without a collection that waits, reconcile starts nothing and needs no state machine; a collection is taken once.
func TestReconcileStartsWhatWaits(t *testing.T) {
	t.Parallel()
	n := newTables(t)
	n.finished("finished")
	n.row("run", "db.a", "Sent", 2)
	denied := &services{fail: map[string]error{"StartExecution": httpStatus(http.StatusForbidden)}}
	got := denied.says(n, "", nil, "reconcile", "--yes", "-o", "json", "finished")
	if got.code != exitOK || !strings.Contains(got.out, `"started": false`) {
		t.Errorf("nothing waits: %+v", got)
	}
	matchesSchema(t, "reconcile", got.out, got.code)
	full := writer(func([]byte) (int, error) { return 0, errLost })
	if got := denied.says(n, "", full, "reconcile", "--yes", "finished"); strings.Contains(got.err, "were started") {
		t.Errorf("unwritten: %+v", got)
	}
	got = (&services{}).says(n, "", nil, "reconcile", "--yes", "run")
	if got.out != "Reconciling 1 collection of run (executions: 1). See the result: snapshot-status why run\n" {
		t.Errorf("one waits: %+v", got)
	}
	got = n.says("", "reconcile", "run", "db.a", "a", "db.a")
	if !strings.Contains(got.out, "Would reconcile 1 collection ") {
		t.Errorf("one collection: %+v", got)
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(text []byte) (int, error) { return w(text) }

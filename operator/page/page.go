// Package page shows runs in a browser: what they wait for, how far their collections are, which way the executions of
// the state machine took, and what was rejected. Everything it serves is embedded in the program, and nothing is
// written unless it was started so.
//
// The pages are made on the server and are whole without JavaScript; with it they follow what happens (live.go), the
// progress is drawn as a chart, and an execution as a graph.
package page

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"snapshot-status-checker/internal/delivery/machine"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/operator/deployment"
	"snapshot-status-checker/operator/rejected"
	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/trace"
)

//go:embed templates assets
var embedded embed.FS

// Source is where the pages get what they show.
type Source struct {
	Stack     string // for people
	Local     bool   // it is the local one
	Store     *store.Store
	Settings  report.Settings
	Command   report.Command                                               // to suggest
	Trace     *trace.Reader                                                // nil if no state machine is known
	Around    func(ctx context.Context, run string) (report.Around, error) // nil if no queue is known
	Reconcile func(context.Context, []snapshot.CollectionKey) error        // nil if no state machine is known
	Rejected  *Rejected                                                    // nil if the queues are not known
	Now       func() time.Time
}

// NewSource shows a deployment.
func NewSource(d deployment.Deployment) Source {
	source := Source{
		Stack:    d.Stack,
		Local:    d.Local,
		Store:    d.Store(),
		Settings: report.Settings{Exempt: d.Settings.ExemptStatuses, StalledAfter: d.Settings.StalledAfter},
		Now:      time.Now,
	}
	executions := trace.New(d)
	source.Around = executions.Around
	if d.StateMachineArn != "" {
		started := machine.Machine{SFN: sfn.NewFromConfig(d.Config), ARN: d.StateMachineArn}
		source.Trace, source.Reconcile = executions, started.Reconcile
	}
	if d.RejectedMessagesQueueUrl != "" && d.FileReceivedQueueUrl != "" {
		source.Rejected = &Rejected{Queues: rejected.Queues{SQS: sqs.NewFromConfig(d.Config),
			Rejected: d.RejectedMessagesQueueUrl, FileReceived: d.FileReceivedQueueUrl}}
	}
	return source
}

// Options are how the pages are served.
type Options struct {
	AllowWrites bool     // looks and replays may be asked for
	Hosts       []string // host names, with their ports, that requests may name
	Log         *slog.Logger
}

// Server serves the pages.
type Server struct {
	Source
	Options
	templates *template.Template
	hub       *hub
	beside    remembered[standing]
	messages  remembered[messages]
	finished  remembered[report.Summary]
	progress  remembered[progress]
	rejected  remembered[rejectedMessages]
}

// New makes the server. Its pollers end with the context.
func New(ctx context.Context, source Source, options Options) (*Server, error) {
	templates, err := template.New("").Funcs(words(source.Now)).ParseFS(embedded, "templates/*.html")
	if err != nil {
		return nil, err
	}
	s := &Server{Source: source, Options: options, templates: templates}
	s.hub = newHub(ctx, s.read)
	if source.Local {
		s.hub.slowest = slowestNearby
	}
	return s, nil
}

// Handler serves all pages.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	page := func(pattern string, answer func(*http.Request) (view, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			shown, err := answer(r)
			s.respond(w, r, shown, err)
		})
	}
	page("GET /{$}", s.runsPage)
	page("GET /run", s.runPage)
	page("GET /progress", s.progressPage)
	page("GET /collection", s.collectionPage)
	page("GET /executions", s.executionsPage)
	page("GET /execution", s.executionPage)
	page("GET /machine", s.machinePage)
	page("GET /rejected", s.rejectedPage)
	page("GET /replay", s.replayPage)
	mux.HandleFunc("GET /progress.json", s.progressJSON)
	mux.HandleFunc("GET /events", s.events)
	mux.HandleFunc("POST /look", s.write(s.lookAgain))
	mux.HandleFunc("POST /replay", s.write(s.replay))
	assets, err := fs.Sub(embedded, "assets")
	if err != nil {
		panic(err) // it is embedded
	}
	mux.Handle("GET /assets/", http.StripPrefix("/assets/", http.FileServerFS(assets)))
	return s.guard(mux)
}

// view is a page that is to be shown.
type view struct {
	Template string
	Title    string
	Live     string // the topic that it follows; empty if none
	Version  string // of what it shows
	Data     any
}

// shown is what the templates get.
type shown struct {
	view
	Stack       string
	AllowWrites bool
	Said        string // what a write that led here did
	Tab         string
}

// notFound is an error that says what is not there.
type notFound struct{ what string }

func (e notFound) Error() string { return e.what }

func (s *Server) respond(w http.ResponseWriter, r *http.Request, v view, err error) {
	status := http.StatusOK
	var missing notFound
	switch {
	case err == nil:
	case r.Context().Err() != nil:
		return // nobody waits for it any more
	case errors.As(err, &missing), errors.Is(err, trace.ErrNotFound):
		status, v = http.StatusNotFound, view{Template: "error.html", Title: "Not found", Data: err.Error()}
	default:
		s.Log.Error("page failed", "path", r.URL.Path, "error", err)
		status, v = http.StatusBadGateway, view{Template: "error.html", Title: "That did not work", Data: err.Error()}
	}
	var page bytes.Buffer
	if err := s.templates.ExecuteTemplate(&page, v.Template, shown{view: v, Stack: s.Stack, AllowWrites: s.AllowWrites,
		Said: r.URL.Query().Get("said"), Tab: r.URL.Path}); err != nil {
		s.Log.Error("page failed", "path", r.URL.Path, "error", err)
		http.Error(w, "the page could not be made: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes())
}

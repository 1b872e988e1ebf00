// Package page shows runs in a browser: what they wait for, the progress of their collections, the paths of the state
// machine's executions, the rejected messages and the dead letters. All that it serves is embedded in the program. It
// is read-only unless Options.AllowWrites is set.
//
// The server renders complete pages, which work without JavaScript. Scripts add live updates (live.go), the chart of
// the progress and the graph of an execution.
package page

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"snapshot-status-checker/functions/sweep"
	"snapshot-status-checker/internal/delivery/machine"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/operator/deployment"
	tracking "snapshot-status-checker/operator/live"
	"snapshot-status-checker/operator/rejected"
	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/trace"
)

//go:embed templates assets
var embedded embed.FS

// Source is the deployment that the pages show.
type Source struct {
	Stack     string // its name, for display
	Local     bool   // it is the local stack
	Store     *store.Store
	Settings  report.Settings
	Command   report.Command                                                 // begins the suggested commands
	Trace     *trace.Reader                                                  // nil without a state machine
	Around    func(ctx context.Context, run string) (report.Evidence, error) // nil without queues
	Reconcile func(context.Context, []snapshot.CollectionKey) error          // nil without a state machine
	Rejected  *rejected.Queues                                               // nil without queues
	// Abandon ends a run by hand, and Resume takes it up again; nil without a state machine
	Abandon func(ctx context.Context, run, reason string) (sweep.Answer, error)
	Resume  func(ctx context.Context, run string) (sweep.Answer, error)
	Now     func() time.Time
}

// NewSource makes the source of a deployment.
func NewSource(d deployment.Deployment) Source {
	executions := trace.New(d)
	source := Source{Stack: d.Stack, Local: d.Local, Store: d.Store(), Now: time.Now,
		Settings: report.Settings{Exempt: d.Settings.ExemptStatuses, StalledAfter: d.Settings.StalledAfter,
			LateAfter: d.Settings.LateAfter},
		Around: executions.Around}
	if d.StateMachineArn != "" {
		started := machine.Machine{SFN: sfn.NewFromConfig(d.Config), ARN: d.StateMachineArn}
		source.Trace, source.Reconcile = executions, started.Reconcile
		source.Abandon, source.Resume = d.Abandon, d.Resume
	}
	if d.RejectedMessagesQueueUrl != "" && d.FileReceivedQueueUrl != "" {
		source.Rejected = &rejected.Queues{SQS: sqs.NewFromConfig(d.Config), Rejected: d.RejectedMessagesQueueUrl,
			FileReceived: d.FileReceivedQueueUrl, CountBy: d.Settings.CountBy}
	}
	return source
}

// Options configure a server.
type Options struct {
	AllowWrites bool     // reconciliations, replays and ends by hand may be requested
	Hosts       []string // host names, with their ports, that requests may use
	Log         *slog.Logger
}

// Server serves the pages.
type Server struct {
	Source
	Options
	templates    *template.Template
	hub          *hub
	surroundings cache[surroundings]
	receipts     cache[receipts]
	endedRuns    cache[report.Summary]
	progress     cache[progress]
	trackers     cache[tracking.Tracker] // by run
	rejected     cache[*rejected.Reading]
}

// New makes a server. Its event streams end with the context.
func New(ctx context.Context, source Source, options Options) (*Server, error) {
	templates, err := template.New("").Funcs(templateFuncs(source.Now)).ParseFS(embedded, "templates/*.html")
	if err != nil {
		return nil, err
	}
	s := &Server{Source: source, Options: options, templates: templates}
	s.hub = &hub{ctx: ctx, read: s.read, maxInterval: maxInterval}
	if source.Local {
		s.hub.maxInterval = maxIntervalLocal
	}
	return s, nil
}

// Serve serves the pages on a listener until the context ends, which is not an error. It calls ready with the address
// when the pages can be opened.
func Serve(
	ctx context.Context, listener net.Listener, source Source, options Options, ready func(address string),
) error {
	pages, err := New(ctx, source, options)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	server := &http.Server{Handler: pages.Handler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	ready("http://" + listener.Addr().String() + "/")
	select {
	case err = <-ended:
		return fmt.Errorf("serving the pages: %w", err)
	case <-ctx.Done(): // which ends the event streams as well
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := server.Shutdown(closing); err != nil {
		return server.Close()
	}
	return nil
}

// Handler serves all pages.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for path, render := range map[string]func(*http.Request) (view, error){
		"/{$}": s.runsPage, "/run": s.runPage, "/progress": s.progressPage, "/collection": s.collectionPage,
		"/executions": s.executionsPage, "/execution": s.executionPage, "/machine": s.machinePage,
		"/rejected": s.queuePage, "/dead-letters": s.queuePage, "/replay": s.replayPage,
	} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			page, err := render(r)
			s.respond(w, r, page, err)
		})
	}
	mux.HandleFunc("GET /progress.json", s.progressJSON)
	mux.HandleFunc("GET /events", s.events)
	mux.HandleFunc("POST /reconcile", s.write(s.reconcile))
	mux.HandleFunc("POST /abandon", s.write(s.abandon))
	mux.HandleFunc("POST /replay", s.write(s.replay))
	assets, err := fs.Sub(embedded, "assets")
	if err != nil {
		panic(err) // it is embedded
	}
	mux.Handle("GET /assets/", http.StripPrefix("/assets/", http.FileServerFS(assets)))
	return s.guard(mux)
}

// view is a page to render.
type view struct {
	Template string
	Title    string
	Live     string // the topic of its live updates; empty if it has none
	Version  string // of the data
	Data     any
}

// templateData is the input of the templates.
type templateData struct {
	view
	Stack       string
	AllowWrites bool
	Notice      string // the result of the write that led to this page
	Path        string
}

// notFound is the error of a page whose subject does not exist.
type notFound string

func (e notFound) Error() string { return string(e) }

func (s *Server) respond(w http.ResponseWriter, r *http.Request, v view, err error) {
	status := http.StatusOK
	var missing notFound
	switch {
	case err == nil:
	case r.Context().Err() != nil:
		return // the client is gone
	case errors.As(err, &missing), errors.Is(err, trace.ErrNotFound):
		status, v = http.StatusNotFound, view{Template: "error.html", Title: "Not found", Data: err.Error()}
	default:
		s.Log.Error("page failed", "path", r.URL.Path, "error", err)
		status, v = http.StatusBadGateway, view{Template: "error.html", Title: "Request failed", Data: err.Error()}
	}
	var page bytes.Buffer
	if err := s.templates.ExecuteTemplate(&page, v.Template, templateData{view: v, Stack: s.Stack,
		AllowWrites: s.AllowWrites, Notice: r.URL.Query().Get("notice"), Path: r.URL.Path}); err != nil {
		s.Log.Error("page failed", "path", r.URL.Path, "error", err)
		http.Error(w, "rendering the page: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes())
}

package page

import (
	"context"
	"net/http"
	"slices"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/operator/deployment"
	"snapshot-status-checker/operator/report"
)

// runView is what the page of a run shows.
type runView struct {
	report.Run
	Findings     []report.Finding
	Trouble      string // why the findings may lack something
	Heat         heat
	Table        listing
	CanReconcile bool
}

// readRun reads a run. One that neither table knows is notFound.
func (s *Server) readRun(ctx context.Context, correlationID string) (report.Run, error) {
	state, err := s.Store.Run(ctx, correlationID)
	if err != nil {
		return report.Run{}, err
	}
	if state.Run == nil && len(state.Collections) == 0 {
		return report.Run{}, notFound{"Neither table knows the run " + correlationID + "."}
	}
	return report.New(correlationID, state, s.Settings, s.Now()), nil
}

// run is the run that a page is asked for.
func (s *Server) run(r *http.Request, parameter string) (report.Run, error) {
	run, _, err := latest[report.Run](r.Context(), s.hub, topic{Of: ofTables, Run: r.URL.Query().Get(parameter)})
	return run, err
}

// watchedRun is a run with what stands around it.
type watchedRun struct {
	Run      report.Run `json:"-"`
	Tables   string     // version of the run
	Around   report.Around
	Troubled bool
	trouble  string // may be another text each time
}

func (s *Server) readWatched(ctx context.Context, correlationID string) (reading, error) {
	run, tables, err := latest[report.Run](ctx, s.hub, topic{Of: ofTables, Run: correlationID})
	if err != nil {
		return reading{}, err
	}
	stands, err := s.around(ctx, run)
	return reading{At: tables.At, Every: tables.Every,
		Value: watchedRun{run, tables.Version, stands.Around, stands.trouble != "", stands.trouble}}, err
}

func (s *Server) runPage(r *http.Request) (view, error) {
	of := topic{Of: ofRun, Run: r.URL.Query().Get("id")}
	seen, read, err := latest[watchedRun](r.Context(), s.hub, of)
	if err != nil {
		return view{}, err
	}
	run := seen.Run
	shown := runView{Run: run, Heat: newHeat(run), CanReconcile: s.AllowWrites && s.Reconcile != nil &&
		run.State != report.Successful}
	shown.Table = newListing(run, r.URL.Query())
	shown.Findings, shown.Trouble = report.Why(run, seen.Around, s.Command), seen.trouble
	return view{Template: "run.html", Title: run.Summary.Run, Live: of.String(), Version: read.Version, Data: shown},
		nil
}

// besideEvery is how often is asked for what is not in the tables, at most: the queues, the executions, a collection's
// messages.
const besideEvery = 5 * time.Second

// standing is what stands around a run, as far as it could be read.
type standing struct {
	report.Around
	trouble string
}

// around reads what stands around a run that is not done. What cannot be read is asked for no more often than what can.
func (s *Server) around(ctx context.Context, run report.Run) (standing, error) {
	if run.State == report.Successful || s.Around == nil {
		return standing{}, nil
	}
	return s.beside.get(run.Summary.Run, s.Now(), besideEvery, func() (standing, error) {
		around, err := s.Around(ctx, run.Summary.Run)
		switch {
		case ctx.Err() != nil:
			return standing{}, ctx.Err()
		case err != nil:
			return standing{around, err.Error()}, nil
		}
		return standing{Around: around}, nil
	})
}

// lookAgain starts looks at a run: at the collection that is named, or at all that wait for something.
func (s *Server) lookAgain(r *http.Request) (string, error) {
	run, err := s.readRun(r.Context(), r.PostForm.Get("run"))
	if err != nil {
		return "", err
	}
	if s.Reconcile == nil {
		return "", notFound{"No state machine is known."}
	}
	keys := report.ToReconcile(run)
	if name := r.PostForm.Get("collection"); name != "" {
		keys = []snapshot.CollectionKey{{CorrelationID: run.Summary.Run, CollectionName: name}}
		if !slices.ContainsFunc(run.Collections, func(c report.Collection) bool { return c.Collection == name }) {
			return "", notFound{"The run has no collection " + name + "."}
		}
	}
	said := "Looking again at " + collections(len(keys)) + "."
	if len(keys) == 0 {
		said = "Nothing of it waits for anything."
	}
	return link("/run", "id", run.Summary.Run, "said", said), deployment.Reconcile(r.Context(), s.Reconcile, keys)
}

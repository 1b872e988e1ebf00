package page

import (
	"context"
	"net/http"
	"slices"
	"time"

	"snapshot-status-checker/internal/operator/lookagain"
	"snapshot-status-checker/internal/operator/report"
	"snapshot-status-checker/internal/snapshot"
)

// runView is what the page of a run shows.
type runView struct {
	report.Run
	Findings []report.Finding
	Trouble  string // why the findings may lack something
	Heat     heat
	Table    listing
	CanLook  bool
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

func (s *Server) run(r *http.Request, parameter string) (report.Run, reading, error) {
	read, err := s.hub.latest(r.Context(), r.URL.Query().Get(parameter))
	if err != nil {
		return report.Run{}, read, err
	}
	run, ok := read.Value.(report.Run)
	if !ok {
		return run, read, notFound{"No run is named."}
	}
	return run, read, nil
}

func (s *Server) runPage(r *http.Request) (view, error) {
	run, read, err := s.run(r, "id")
	if err != nil {
		return view{}, err
	}
	shown := runView{Run: run, Heat: newHeat(run), CanLook: s.AllowWrites && s.Look != nil && run.State != report.Successful}
	shown.Table = newListing(run, r.URL.Query())
	stands, err := s.around(r.Context(), run)
	if err != nil {
		shown.Trouble = err.Error()
	}
	shown.Findings = report.Why(run, stands, s.Command)
	return view{Template: "run.html", Title: run.Summary.Run, Live: run.Summary.Run, Version: read.Version, Data: shown}, nil
}

// besideEvery is how often the queues and the executions are asked about, at most.
const besideEvery = 5 * time.Second

// around reads what stands around a run that is not done. With an error it is what could be read.
func (s *Server) around(ctx context.Context, run report.Run) (report.Around, error) {
	if run.State == report.Successful || s.Around == nil {
		return report.Around{}, nil
	}
	return s.beside.get(run.Summary.Run, s.Now(), besideEvery, func() (report.Around, error) { return s.Around(ctx, run.Summary.Run) })
}

// lookAgain starts looks at a run: at the collection that is named, or at all that wait for something.
func (s *Server) lookAgain(r *http.Request) (string, error) {
	run, err := s.readRun(r.Context(), r.PostForm.Get("run"))
	if err != nil {
		return "", err
	}
	if s.Look == nil {
		return "", notFound{"No state machine is known."}
	}
	keys := report.Looks(run)
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
	return link("/run", "id", run.Summary.Run, "said", said), lookagain.Start(r.Context(), s.Look, keys)
}

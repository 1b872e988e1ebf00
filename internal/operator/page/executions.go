package page

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"snapshot-status-checker/internal/operator/report"
	"snapshot-status-checker/internal/operator/trace"
	"snapshot-status-checker/internal/snapshot"
)

// How many collections of a run are asked which executions counted their messages, and for how many of each.
const (
	askedCollections = 5
	askedMessages    = 20
)

// executionsView lists the executions that worked on a run, or a collection of it.
type executionsView struct {
	trace.Found
	Run report.Summary
}

func (s *Server) executionsPage(r *http.Request) (view, error) {
	run, _, err := s.run(r, "run")
	if err != nil {
		return view{}, err
	}
	if s.Trace == nil {
		return view{}, notFound{"No state machine is known: name it with --state-machine."}
	}
	known, err := s.known(r, run)
	if err != nil {
		return view{}, err
	}
	found, err := s.Trace.OfRun(r.Context(), run.Summary.Run, known)
	return view{Template: "executions.html", Title: "Executions of " + run.Summary.Run, Live: run.Summary.Run,
		Version: "-", Data: executionsView{found, run.Summary}}, err
}

// known are the executions that the ledger names: in the claims of news and requests, and in the markers of the
// collections that moved last.
func (s *Server) known(r *http.Request, run report.Run) ([]string, error) {
	var ids []string
	add := func(id string) {
		if id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	for _, news := range run.News {
		add(news.Debt.Execution)
	}
	moved := slices.SortedFunc(slices.Values(run.Collections), func(a, b report.Collection) int {
		return latest(b.LastMessage).Compare(latest(a.LastMessage))
	})
	for i, c := range moved[:min(len(moved), 20)] {
		add(c.Request.Execution)
		if i >= askedCollections {
			continue
		}
		markers, _, err := s.messages(r.Context(), snapshot.CollectionKey{CorrelationID: run.Summary.Run, CollectionName: c.Collection})
		if err != nil {
			return nil, err
		}
		for _, marker := range markers[:min(len(markers), askedMessages)] {
			add(marker.Execution)
		}
	}
	return ids, nil
}

func latest(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// executionView is an execution with what the graph is drawn from.
type executionView struct {
	trace.Story
	Drawn string // JSON: the story, without inputs and outputs
	Back  string
}

func (s *Server) executionPage(r *http.Request) (view, error) {
	if s.Trace == nil {
		return view{}, notFound{"No state machine is known: name it with --state-machine."}
	}
	query := r.URL.Query()
	var near time.Time
	if millis, err := strconv.ParseInt(query.Get("near"), 10, 64); err == nil {
		near = time.UnixMilli(millis)
	}
	story, err := s.Trace.Story(r.Context(), query.Get("id"), near)
	if err != nil {
		return view{}, err
	}
	drawn, err := drawn(story.Graph, story.Steps)
	return view{Template: "execution.html", Title: "Execution " + story.Name(), Live: "-",
		Data: executionView{Story: story, Drawn: drawn, Back: query.Get("run")}}, err
}

// machineView is the definition that is deployed.
type machineView struct {
	Graph trace.Graph
	Drawn string
}

func (s *Server) machinePage(r *http.Request) (view, error) {
	if s.Trace == nil {
		return view{}, notFound{"No state machine is known: name it with --state-machine."}
	}
	graph, err := s.Trace.Graph(r.Context())
	if err != nil {
		return view{}, err
	}
	drawn, err := drawn(graph, nil)
	return view{Template: "machine.html", Title: "State machine", Live: "-", Data: machineView{graph, drawn}}, err
}

// drawn is what the script needs to draw a graph with the way taken.
func drawn(graph trace.Graph, steps []trace.Step) (string, error) {
	type step struct {
		State   string `json:"state"`
		Item    int    `json:"item"`
		Failed  bool   `json:"failed"`
		Caught  bool   `json:"caught"`
		Retried int    `json:"retried"`
		Running bool   `json:"running"`
	}
	taken := []step{}
	for _, s := range steps {
		taken = append(taken, step{s.State, s.Item, s.Failed, s.Caught(), s.Retried(), s.Left == nil && !s.Failed})
	}
	text, err := json.Marshal(struct {
		Graph trace.Graph `json:"graph"`
		Steps []step      `json:"steps"`
	}{graph, taken})
	return string(text), err
}

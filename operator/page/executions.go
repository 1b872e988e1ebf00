package page

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/trace"
)

// How many collections of a run are asked which executions counted their messages, and for how many of those that are
// read.
const (
	askedCollections = 5
	askedMessages    = 20
)

// executionsView lists the executions that worked on a run.
type executionsView struct {
	trace.Found
	Run string
}

func (s *Server) executionsPage(r *http.Request) (view, error) {
	of := topic{Of: ofExecutions, Run: r.URL.Query().Get("run")}
	found, read, err := latest[trace.Found](r.Context(), s.hub, of)
	return view{Template: "executions.html", Title: "Executions of " + of.Run, Live: of.String(), Version: read.Version,
		Data: executionsView{found, of.Run}}, err
}

func (s *Server) readExecutions(ctx context.Context, correlationID string) (reading, error) {
	run, tables, err := latest[report.Run](ctx, s.hub, topic{Of: ofTables, Run: correlationID})
	if err != nil {
		return reading{}, err
	}
	if s.Trace == nil {
		return reading{}, notFound{"No state machine is known: name it with --state-machine."}
	}
	known, err := s.known(ctx, run)
	if err != nil {
		return reading{}, err
	}
	found, err := s.Trace.OfRun(ctx, correlationID, known)
	return reading{Value: found, At: tables.At, Every: tables.Every}, err
}

// known are the executions that the ledger names: as owners of the outbox entries, and in the receipts of the
// collections that moved last.
func (s *Server) known(ctx context.Context, run report.Run) ([]string, error) {
	var ids []string
	add := func(id string) {
		if id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	for _, news := range run.Notifications {
		add(news.Delivery.Execution)
	}
	moved := slices.SortedFunc(slices.Values(run.Collections), func(a, b report.Collection) int {
		return orZero(b.LastMessage).Compare(orZero(a.LastMessage))
	})
	for i, c := range moved[:min(len(moved), 20)] {
		add(c.Request.Execution)
		if i >= askedCollections {
			continue
		}
		read, err := s.readMessages(ctx, snapshot.CollectionKey{CorrelationID: run.Summary.Run,
			CollectionName: c.Collection}, sampledMessages)
		if err != nil {
			return nil, err
		}
		for _, receipt := range read.Newest[:min(len(read.Newest), askedMessages)] {
			add(receipt.Execution)
		}
	}
	return ids, nil
}

// orZero is the zero time if it is not known.
func orZero(t *time.Time) time.Time {
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
	return view{Template: "execution.html", Title: "Execution " + story.Name(),
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
	return view{Template: "machine.html", Title: "State machine", Data: machineView{graph, drawn}}, err
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

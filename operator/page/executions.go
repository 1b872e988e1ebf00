package page

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/trace"
)

// The executions of a run are looked up in this many of its collections, and in this many of their receipts.
const (
	lookupRequests    = 20 // collections whose requests are used
	lookupCollections = 5  // collections whose receipts are read
	lookupReceipts    = 20 // receipts used of each
)

const errNoStateMachine = notFound("The state machine is not known. Name it with --state-machine.")

// executionsView is the list of the executions that worked on a run.
type executionsView struct {
	trace.Found
	Run string
}

func (s *Server) executionsPage(r *http.Request) (view, error) {
	of := topic{Kind: executionsTopic, Run: r.URL.Query().Get("run")}
	found, read, err := latest[trace.Found](r.Context(), s.hub, of)
	return view{Template: "executions.html", Title: "Executions of " + of.Run, Live: of.String(), Version: read.Version,
		Data: executionsView{found, of.Run}}, err
}

func (s *Server) readExecutions(ctx context.Context, run report.Run) (trace.Found, error) {
	if s.Trace == nil {
		return trace.Found{}, errNoStateMachine
	}
	ids, err := s.executionsInLedger(ctx, run)
	if err != nil {
		return trace.Found{}, err
	}
	return s.Trace.OfRun(ctx, run.Summary.Run, ids)
}

// executionsInLedger returns the executions that the ledger names: owners of outbox entries, and the receipts of the
// collections with the newest messages.
func (s *Server) executionsInLedger(ctx context.Context, run report.Run) ([]string, error) {
	var ids []string
	add := func(id string) {
		if id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	for _, notification := range run.Notifications {
		add(notification.Delivery.Execution)
	}
	newest := slices.SortedFunc(slices.Values(run.Collections), func(a, b report.Collection) int {
		return timeOf(b.LastMessage).Compare(timeOf(a.LastMessage))
	})
	for i, c := range newest[:min(len(newest), lookupRequests)] {
		add(c.Request.Execution)
		if i >= lookupCollections {
			continue
		}
		read, err := s.readReceipts(ctx, run.Summary.Run, c.Collection, sampledReceipts)
		if err != nil {
			return nil, err
		}
		for _, receipt := range read.Newest[:min(len(read.Newest), lookupReceipts)] {
			add(receipt.Execution)
		}
	}
	return ids, nil
}

// executionView is the page of an execution.
type executionView struct {
	trace.Account
	GraphData string // JSON for the script: the graph and the path, without inputs and outputs
	Run       string // the page came from
}

func (s *Server) executionPage(r *http.Request) (view, error) {
	if s.Trace == nil {
		return view{}, errNoStateMachine
	}
	query := r.URL.Query()
	var near time.Time
	if millis, err := strconv.ParseInt(query.Get("near"), 10, 64); err == nil {
		near = time.UnixMilli(millis)
	}
	execution, err := s.Trace.Account(r.Context(), query.Get("id"), near)
	if err != nil {
		return view{}, err
	}
	data, err := graphData(execution.Graph, execution.Steps)
	return view{Template: "execution.html", Title: "Execution " + execution.Name(),
		Data: executionView{execution, data, query.Get("run")}}, err
}

// machineView is the page of the deployed definition.
type machineView struct {
	Graph     trace.Graph
	GraphData string
}

func (s *Server) machinePage(r *http.Request) (view, error) {
	if s.Trace == nil {
		return view{}, errNoStateMachine
	}
	graph, err := s.Trace.Graph(r.Context())
	if err != nil {
		return view{}, err
	}
	data, err := graphData(graph, nil)
	return view{Template: "machine.html", Title: "State machine", Data: machineView{graph, data}}, err
}

func graphData(graph trace.Graph, steps []trace.Step) (string, error) {
	path := slices.Clone(steps)
	for i := range path {
		path[i].Input, path[i].Output, path[i].Tries, path[i].Cause = "", "", nil, ""
	}
	text, err := json.Marshal(map[string]any{"graph": graph, "steps": path})
	return string(text), err
}

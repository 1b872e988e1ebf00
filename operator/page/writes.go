package page

import (
	"fmt"
	"net/http"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/operator/deployment"
	"snapshot-status-checker/operator/report"
)

// reconcile reconciles the collection that the form names, or all of the run that wait for something. It takes up again
// a run that was ended by hand.
func (s *Server) reconcile(r *http.Request) (string, error) {
	run, err := s.readRun(r.Context(), r.PostForm.Get("run"))
	if err != nil {
		return "", err
	}
	if s.Reconcile == nil {
		return "", errNoStateMachine
	}
	keys := report.ToReconcile(run)
	if name := r.PostForm.Get("collection"); name != "" {
		if _, err := findCollection(run, name); err != nil {
			return "", err
		}
		keys = []snapshot.CollectionKey{{CorrelationID: run.Summary.Run, CollectionName: name}}
	}
	if run.Abandonment != nil {
		_, err := s.Resume(r.Context(), run.Summary.Run)
		s.forget(run.Summary.Run)
		if err != nil {
			return "", err
		}
	}
	notice := fmt.Sprintf("Reconciling %d collections.", len(keys))
	if len(keys) == 1 {
		notice = "Reconciling 1 collection."
	} else if len(keys) == 0 {
		notice = "Nothing to reconcile."
	}
	if run.Abandonment != nil {
		notice = "Taken up again. " + notice
	}
	return link("/run", "id", run.Summary.Run, "notice", notice), deployment.Reconcile(r.Context(), s.Reconcile, keys)
}

// canAbandon reports whether the page of a run offers to end it by hand.
func (s *Server) canAbandon(run report.Run) bool {
	return s.AllowWrites && s.Abandon != nil && run.InLedger() && run.State != report.Successful &&
		run.State != report.Abandoned
}

// abandon ends the run that the form names by hand, for the form's reason. Repeating it replaces the reason.
func (s *Server) abandon(r *http.Request) (string, error) {
	run, reason := r.PostForm.Get("run"), r.PostForm.Get("reason")
	if s.Abandon == nil {
		return "", errNoStateMachine
	}
	notice := "Abandoned. A new file or Reconcile takes the run up again."
	if err := snapshot.CheckReason(reason); err != nil {
		notice = "Not abandoned: " + err.Error() + "."
	} else if answer, err := s.Abandon(r.Context(), run, reason); answer.Refused != "" {
		notice = "Not abandoned: " + answer.Refused + "."
	} else if err != nil {
		return "", err
	}
	s.forget(run)
	return link("/run", "id", run, "notice", notice), nil
}

// forget makes the next pages read the run again.
func (s *Server) forget(run string) {
	s.endedRuns.forget(run)
	for _, of := range []topic{{Kind: runsTopic}, {Kind: tablesTopic, Run: run}, {Kind: runTopic, Run: run}} {
		s.hub.recent.forget(of.String())
	}
}

package page

import (
	"context"
	"net/http"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/operator/report"
)

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

// resume takes up a run again that was ended by hand. It does nothing for another run.
func (s *Server) resume(ctx context.Context, run report.Run) error {
	if run.Abandonment == nil || s.Resume == nil {
		return nil
	}
	_, err := s.Resume(ctx, run.Summary.Run)
	s.forget(run.Summary.Run)
	return err
}

// forget makes the next pages read the run again.
func (s *Server) forget(run string) {
	s.endedRuns.forget(run)
	for _, of := range []topic{{Kind: runsTopic}, {Kind: tablesTopic, Run: run}, {Kind: runTopic, Run: run}} {
		s.hub.recent.forget(of.String())
	}
}

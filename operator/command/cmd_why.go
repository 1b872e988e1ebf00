package command

import (
	"fmt"
	"strings"

	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/show"
	"snapshot-status-checker/operator/trace"
)

type whyCommand struct {
	Name       string `arg:"" name:"run" help:"The correlation id."`
	Collection string `arg:"" optional:"" help:"One collection of it."`
}

func (c *whyCommand) Help() string {
	return "Explains what a run waits for, since when, which system has to act and what to do next. Exits with 3 if " +
		"the run is not successful; with a collection, if that collection waits."
}

// explanation is the answer of why.
type explanation struct {
	report.Summary
	Findings []report.Finding `json:"findings"` // most urgent first
}

func (c *whyCommand) Run(a *app) error {
	run, err := a.run(c.Name)
	if err != nil {
		return err
	}
	if c.Collection != "" {
		return c.whyCollection(a, run)
	}
	var evidence report.Evidence
	if run.State != report.Successful && a.source == nil {
		found, err := a.deployment()
		if err == nil {
			evidence, err = trace.New(found).Around(a, run.Run)
		}
		if err != nil {
			a.complain("this answer is based on the tables alone: " + err.Error())
		}
	}
	findings := report.Why(run, evidence, a.command)
	err = a.answer(explanation{run.Summary, findings}, func(p show.Printer) {
		headLines(p, run)
		printFindings(p, findings)
	})
	return notDone(run.State == report.Successful, err)
}

func (c *whyCommand) whyCollection(a *app, run report.Run) error {
	one, err := a.collection(run, c.Collection)
	if err != nil {
		return err
	}
	findings := []report.Finding{report.WhyCollection(run, one, a.command)}
	err = a.answer(explanation{run.Summary, findings}, func(p show.Printer) {
		p.Line("%s: %s, %d of %d files %s", one.Collection, report.StatusName(one.Status), one.FilesReceived,
			one.FilesSent, show.Bar(one.FilesReceived, one.FilesSent, barWidth))
		p.Line("last message %s; request for its _success file: %s", p.Since(one.LastMessage),
			deliveryText(p, one.Request))
		printFindings(p, findings)
	})
	return notDone(one.WaitsFor == report.ForNothing, err)
}

func printFindings(p show.Printer, findings []report.Finding) {
	for _, f := range findings {
		p.Line("")
		p.Line("%s %s", p.Tone(f.WaitsFor.Tone(), "●"), f.Sentence)
		if len(f.Collections) > 0 && f.WaitsFor != report.ForNothing {
			more := ""
			if f.More > 0 {
				more = fmt.Sprintf(" and %d more", f.More)
			}
			p.Line("  %s%s", strings.Join(f.Collections, ", "), more)
		}
		if f.Since != nil {
			p.Line("  since %s", p.Since(f.Since))
		}
		if f.Responsible != report.NoOne {
			p.Line("  waiting for: %s", f.Responsible)
		}
		for _, next := range f.Next {
			p.Line("  next: %s", next)
		}
	}
}

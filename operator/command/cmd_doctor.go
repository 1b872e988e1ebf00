package command

import (
	"slices"

	"snapshot-status-checker/operator/doctor"
	"snapshot-status-checker/operator/show"
)

type doctorCommand struct {
	All bool `help:"Also what is as it should be. JSON has it always."`
}

func (c *doctorCommand) Help() string {
	return "Examines a deployment: whether its parts are there, as they were made, and work together. It changes " +
		"nothing. What may not be read is a finding too. Exits with 3 if there is an error."
}

// examined is what doctor answers.
type examined struct {
	Findings []doctor.Diagnosis `json:"findings"`
}

func (c *doctorCommand) Run(a *app) error {
	found, err := a.where.Locate(a) // whatever is broken, its settings too
	if err == nil {
		err = found.Missing("FileReceivedQueueUrl", "ExportStatusTableName", "LedgerTableName", "ExportStateQueueUrl",
			"MonitoringTopicArn",
			"RejectedMessagesQueueUrl", "StateMachineArn")
	}
	if err != nil {
		return err
	}
	findings, err := doctor.Examine(a, found, version(), a.command, suggestedAWS(a.where, found))
	if err != nil {
		return err
	}
	said := examined{findings}
	if a.json {
		err = a.printJSON(said)
	} else {
		said.print(a.printer(), c.All)
	}
	if err != nil {
		return err
	}
	return notDone(!slices.ContainsFunc(findings, func(f doctor.Diagnosis) bool { return f.Level == doctor.Error }))
}

var findingTones = map[doctor.Level]show.Tone{doctor.OK: show.Good, doctor.Warning: show.Busy, doctor.Error: show.Bad,
	doctor.Unknown: show.Faint}

func (e examined) print(p show.Printer, all bool) {
	fine := 0
	for _, f := range e.Findings {
		if f.Level == doctor.OK {
			fine++
			if !all {
				continue
			}
		}
		p.Line("%s %s: %s", p.Tone(findingTones[f.Level], string(f.Level)), f.About, f.Says)
		if f.Cure != "" {
			p.Line("    %s", f.Cure)
		}
	}
	p.Line("%d of %d findings are as they should be.", fine, len(e.Findings))
}

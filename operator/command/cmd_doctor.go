package command

import (
	"slices"

	"snapshot-status-checker/operator/doctor"
	"snapshot-status-checker/operator/show"
)

type doctorCommand struct {
	All bool `help:"Also show findings that are ok. JSON has them always."`
}

func (c *doctorCommand) Help() string {
	return "Checks a deployment: whether its resources exist, are configured as deployed and are connected. Changes " +
		"nothing. Resources without permission are reported as unknown. Exits with 3 if there is an error."
}

// examined is the answer of doctor.
type examined struct {
	Findings []doctor.Diagnosis `json:"findings"`
}

func (c *doctorCommand) Run(a *app) error {
	found, err := a.where.Locate(a) // without its settings, which may be what is broken
	if err == nil {
		err = found.Missing("FileReceivedQueueUrl", "ExportStatusTableName", "LedgerTableName", "ExportStateQueueUrl",
			"MonitoringTopicArn", "RejectedMessagesQueueUrl", "StateMachineArn")
	}
	if err != nil {
		return err
	}
	findings, err := doctor.Examine(a, found, version(), a.command, suggestedAWS(a.where, found))
	if err != nil {
		return err
	}
	said := examined{findings}
	err = a.answer(said, func(p show.Printer) { said.print(p, c.All) })
	return notDone(!slices.ContainsFunc(findings, func(f doctor.Diagnosis) bool { return f.Level == doctor.Error }),
		err)
}

var findingTones = map[doctor.Level]show.Tone{doctor.OK: show.Good, doctor.Warning: show.Busy, doctor.Error: show.Bad,
	doctor.Unknown: show.Faint}

func (e examined) print(p show.Printer, all bool) {
	ok := 0
	for _, f := range e.Findings {
		if f.Level == doctor.OK {
			ok++
			if !all {
				continue
			}
		}
		p.Line("%s %s: %s", p.Tone(findingTones[f.Level], string(f.Level)), f.About, f.Sentence)
		if f.Fix != "" {
			p.Line("    %s", f.Fix)
		}
	}
	p.Line("%d of %d findings are ok.", ok, len(e.Findings))
}

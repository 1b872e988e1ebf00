package main

import (
	"fmt"

	"github.com/alecthomas/kong"

	"snapshot-status-checker/internal/operator/deployment"
	"snapshot-status-checker/internal/operator/report"
)

// suggested is how the commands begin that are suggested: with the flags by which the deployment was named, also where it was
// named by the environment, since what is suggested may be pasted elsewhere.
func suggested(model *kong.Application) report.Command {
	line := "snapshot-status"
	for _, flag := range model.Flags {
		if flag.Group == nil || flag.Group.Key != "Where" || flag.Target.IsZero() {
			continue
		}
		line += " --" + flag.Name
		if !flag.IsBool() {
			line += " " + report.Quote(fmt.Sprint(flag.Target.Interface()))
		}
	}
	return report.Command(line)
}

// suggestedAWS is the same for the AWS command line.
func suggestedAWS(where deployment.Where) string {
	line := "aws"
	if where.Profile != "" {
		line += " --profile " + report.Quote(where.Profile)
	}
	if where.Region != "" {
		line += " --region " + report.Quote(where.Region)
	}
	return line
}

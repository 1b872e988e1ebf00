package command

import (
	"fmt"

	"github.com/alecthomas/kong"

	"snapshot-status-checker/operator/deployment"
	"snapshot-status-checker/operator/report"
)

// suggested is how suggested commands begin: with the flags that named the deployment, or that the environment set, since
// they may be pasted elsewhere.
func suggested(model *kong.Application) report.Command {
	line := "snapshot-status"
	for _, flag := range model.Flags {
		if flag.Group == nil || flag.Group.Key != "Where" || flag.Target.IsZero() {
			continue
		}
		if flag.IsBool() {
			line += " --" + flag.Name
		} else {
			line += " " + report.Flag(flag.Name, fmt.Sprint(flag.Target.Interface()))
		}
	}
	return report.Command(line)
}

// suggestedAWS is the same for the AWS command line.
func suggestedAWS(where deployment.Where, found deployment.Deployment) report.Command {
	line := "aws"
	if where.Profile != "" {
		line += " " + report.Flag("profile", where.Profile)
	}
	if where.Region != "" {
		line += " " + report.Flag("region", where.Region)
	}
	if found.Local && found.Config.BaseEndpoint != nil {
		line += " " + report.Flag("endpoint-url", *found.Config.BaseEndpoint)
	}
	return report.Command(line)
}

// Package doctor checks a deployment: whether its resources exist, are configured as deployed and are connected. It
// changes nothing. Resources without permission are reported as unknown.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/smithy-go"
	"golang.org/x/sync/errgroup"

	"snapshot-status-checker/operator/deployment"
	"snapshot-status-checker/operator/report"
)

// Level says how bad a finding is.
type Level string

// The levels of findings.
const (
	OK      Level = "ok"
	Warning Level = "warning" // it works, but needs attention
	Error   Level = "error"   // it does not work, or not as it was deployed
	Unknown Level = "unknown" // it could not be checked
)

// Diagnosis is the answer to one question about a deployment.
type Diagnosis struct {
	Level    Level  `json:"level"`
	About    string `json:"about"` // the part of the deployment
	Sentence string `json:"sentence"`
	Fix      string `json:"fix,omitempty"` // what to do about it
}

type examination struct {
	deployment.Deployment
	resources []resource // that the stack made, if it is known which
	described []pipe     // of these
	program   string     // the version of the program that examines
	command   report.Command
	aws       report.Command // the same for the AWS command line

	mu   sync.Mutex
	arns map[string]string // see learn
}

type resource struct{ kind, logical, physical string }

// Examine checks a deployment. program is the version of the program. The commands in its fixes begin with command or
// aws. Only the end of the context ends it early.
func Examine(
	ctx context.Context, d deployment.Deployment, program string, command, aws report.Command,
) ([]Diagnosis, error) {
	e := &examination{Deployment: d, program: program, command: command, aws: aws, arns: map[string]string{}}
	e.learnNames()
	first := e.readResources(ctx)
	e.readPipes(ctx)
	checks := []func(context.Context) []Diagnosis{e.tables, e.queues, e.topic, e.machine, e.functions, e.pipes,
		e.schedule, e.alarms}
	found := make([][]Diagnosis, len(checks))
	var group errgroup.Group
	for i, check := range checks {
		group.Go(func() error { found[i] = check(ctx); return nil })
	}
	_ = group.Wait()
	for _, findings := range found {
		first = append(first, findings...)
	}
	return append(first, e.permissions(ctx)...), ctx.Err()
}

func (e *examination) readResources(ctx context.Context) []Diagnosis {
	const about = "stack"
	if e.Stack == "" {
		return []Diagnosis{{Unknown, about,
			"no stack is named: its pipes, schedule, dead-letter queues and alarms are not checked",
			"name the stack with --stack"}}
	}
	pages := cloudformation.NewListStackResourcesPaginator(cloudformation.NewFromConfig(e.Config),
		&cloudformation.ListStackResourcesInput{StackName: &e.Stack})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return []Diagnosis{failed(about+" "+e.Stack, err)}
		}
		for _, r := range page.StackResourceSummaries {
			e.resources = append(e.resources, resource{aws.ToString(r.ResourceType), aws.ToString(r.LogicalResourceId),
				aws.ToString(r.PhysicalResourceId)})
		}
	}
	return []Diagnosis{{Level: OK, About: about + " " + e.Stack, Sentence: fmt.Sprintf("has %d resources",
		len(e.resources))}}
}

func (e *examination) of(kind string) (some []resource) {
	for _, r := range e.resources {
		if r.kind == kind {
			some = append(some, r)
		}
	}
	return some
}

// failed is the finding for a resource that could not be read.
func failed(about string, err error) Diagnosis {
	var refused smithy.APIError
	if errors.As(err, &refused) {
		code := refused.ErrorCode()
		for _, gone := range []string{"NotFound", "DoesNotExist", "NonExistent", "NoSuchEntity"} {
			if strings.Contains(code, gone) {
				return Diagnosis{Error, about, "does not exist: " + refused.ErrorMessage(), "deploy the stack again"}
			}
		}
		if strings.Contains(code, "AccessDenied") || strings.Contains(code, "Authorization") {
			return Diagnosis{Unknown, about, "not checked: " + refused.ErrorMessage(), "use a role that may read it"}
		}
	}
	return Diagnosis{Unknown, about, "not checked: " + err.Error(), ""}
}

// problems are findings about one part that are not ok.
type problems []Diagnosis

func (p *problems) add(level Level, fix, format string, args ...any) {
	*p = append(*p, Diagnosis{Level: level, Sentence: fmt.Sprintf(format, args...), Fix: fix})
}

// judge returns the problems or, if there are none, one finding that is ok.
func judge(about, fine string, wrong problems) []Diagnosis {
	if len(wrong) == 0 {
		return []Diagnosis{{Level: OK, About: about, Sentence: fine}}
	}
	for i := range wrong {
		wrong[i].About = about
	}
	return wrong
}

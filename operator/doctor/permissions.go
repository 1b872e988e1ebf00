package doctor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"golang.org/x/sync/errgroup"
)

// The parts and resources whose names differ from those of their findings.
const (
	ofMessages, ofChanges   = "pipe of messages", "pipe of changes"
	statusTable, ledger     = "export status table", "ledger"
	fileQueue, statusStream = "file-received queue", "stream of the export status table"
	changesDeadLetters      = "dead-letter queue of the pipe of changes"
	machineARN              = "state machine"
	// by the pipe of messages: STANDARD, EXPRESS
	started, awaited = "state machine, started", "state machine, waited for"
	thatOfMessages   = "the pipe of messages itself" // as a resource
	thatOfChanges    = "the pipe of changes itself"
	customerKey      = "customer managed key"
	anything         = "*" // for actions that IAM knows no resource for
)

func logsOf(part string) string { return "log group of " + part }
func roleOf(part string) string { return "role of " + part }

const (
	writesLogs  = "logs:CreateLogStream logs:PutLogEvents"
	writesTrace = "xray:PutTelemetryRecords xray:PutTraceSegments"
	usesTables  = "kms:Decrypt kms:DescribeKey kms:Encrypt kms:GenerateDataKey kms:ReEncryptFrom kms:ReEncryptTo"
)

// need is what the role of a part must be allowed to do with a resource.
type need struct{ part, resource, actions string }

// needs is everything that the stack grants (infra/), besides what every function needs. A test compares it with a
// deployed stack, in both directions.
var needs = []need{
	{"function increment", statusTable, "dynamodb:BatchGetItem dynamodb:GetItem dynamodb:UpdateItem"},
	{"function increment", ledger, "dynamodb:BatchGetItem dynamodb:GetItem dynamodb:UpdateItem"},
	{"function increment", "rejected-messages queue", "sqs:SendMessage"},
	{"function check-collection", statusTable, "dynamodb:GetItem dynamodb:UpdateItem"},
	{"function check-collection", ledger, "dynamodb:GetItem dynamodb:UpdateItem"},
	{"function check-all", statusTable, "dynamodb:GetItem dynamodb:Query"},
	{"function check-all", ledger, "dynamodb:GetItem dynamodb:UpdateItem"},
	{"function notify", ledger, "dynamodb:GetItem dynamodb:UpdateItem"},
	{"function notify", "export state queue", "sqs:SendMessage"},
	{"function notify", "monitoring topic", "sns:Publish"},
	{"function sweep", statusTable, "dynamodb:Query"},
	{"function sweep", ledger, "dynamodb:BatchGetItem dynamodb:GetItem dynamodb:Query dynamodb:UpdateItem"},
	{"function sweep", machineARN, "states:StartExecution"},
	{"function sweep", "monitoring topic", "sns:Publish"},
	{"function sweep", thatOfMessages, "pipes:DescribePipe"},
	{"function sweep", thatOfChanges, "pipes:DescribePipe"},
	{"schedule of the sweep", "function sweep", "lambda:InvokeFunction"},
	{"state machine", "function increment", "lambda:InvokeFunction"},
	{"state machine", "function check-collection", "lambda:InvokeFunction"},
	{"state machine", "function check-all", "lambda:InvokeFunction"},
	{"state machine", "function notify", "lambda:InvokeFunction"},
	{"state machine", "rejected-messages queue", "sqs:SendMessage"},
	{"state machine", anything, "logs:CreateLogDelivery logs:DeleteLogDelivery logs:DescribeLogGroups " +
		"logs:DescribeResourcePolicies logs:GetLogDelivery logs:ListLogDeliveries logs:PutResourcePolicy " +
		"logs:UpdateLogDelivery"},
	{"state machine", anything, writesTrace + " xray:GetSamplingRules xray:GetSamplingTargets"},
	{"state machine", customerKey, "kms:Decrypt kms:GenerateDataKey"},
	{ofMessages, fileQueue, "sqs:ReceiveMessage sqs:DeleteMessage sqs:GetQueueAttributes"},
	{ofMessages, started, "states:StartExecution"},
	{ofMessages, awaited, "states:StartSyncExecution"},
	{ofMessages, logsOf(ofMessages), writesLogs},
	{ofMessages, customerKey, "kms:Decrypt"},
	{ofChanges, statusStream, "dynamodb:DescribeStream dynamodb:GetRecords dynamodb:GetShardIterator"},
	{ofChanges, anything, "dynamodb:ListStreams"},
	{ofChanges, machineARN, "states:StartExecution"},
	{ofChanges, changesDeadLetters, "sqs:SendMessage"},
	{ofChanges, logsOf(ofChanges), writesLogs},
	{ofChanges, customerKey, "kms:Decrypt kms:DescribeKey kms:GenerateDataKey"},
}

// learn remembers the ARN of a resource or of a part's role. An empty one is unknown.
func (e *examination) learn(name, arn string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.arns[name] = arn
}

// learnNames remembers the ARNs that follow from the deployment's names.
func (e *examination) learnNames() {
	e.learn(anything, "*")
	e.learn("monitoring topic", e.MonitoringTopicArn)
	e.learn(machineARN, e.StateMachineArn)
	if e.express() {
		e.learn(awaited, e.StateMachineArn)
	} else {
		e.learn(started, e.StateMachineArn)
	}
	machine, err := arn.Parse(e.StateMachineArn)
	if err != nil {
		return
	}
	logs := func(part, group string) {
		stream := machine
		stream.Service, stream.Resource = "logs", "log-group:"+group+":log-stream:any"
		e.learn(logsOf(part), stream.String())
	}
	for task := range e.uses() {
		logs("function "+task, "/aws/lambda/"+e.FunctionName(task))
	}
	stack := strings.TrimSuffix(e.FunctionName(""), "-")
	logs(ofMessages, "/aws/vendedlogs/pipes/"+stack+"-file-received")
	logs(ofChanges, "/aws/vendedlogs/pipes/"+stack+"-status-changed")
}

// questions are the needs of the known roles on the known resources.
func (e *examination) questions() (all []question) {
	wanted := slices.Clone(needs)
	for _, task := range slices.Sorted(maps.Keys(e.uses())) {
		function := "function " + task
		wanted = append(wanted, need{function, logsOf(function), writesLogs}, need{function, anything, writesTrace},
			need{function, customerKey, usesTables})
	}
	for _, n := range wanted {
		if role, arn := e.arns[roleOf(n.part)], e.arns[n.resource]; role != "" && arn != "" {
			all = append(all, question{n, role, arn})
		}
	}
	return all
}

// question is whether the role of a part may use the actions of a need on its resource. It has both ARNs.
type question struct {
	need
	role, arn string
}

type answer struct {
	question
	decisions []iamtypes.EvaluationResult
	err       error
}

// permissions asks IAM about the roles that the other checks found. Each question has one resource: IAM checks every
// action of a question against every resource, and refuses some mixtures.
func (e *examination) permissions(ctx context.Context) []Diagnosis {
	client := iam.NewFromConfig(e.Config)
	asked := e.questions()
	answers := make([]answer, len(asked))
	var group errgroup.Group
	group.SetLimit(4)
	for i, q := range asked {
		group.Go(func() error { answers[i] = ask(ctx, client, q); return nil })
	}
	_ = group.Wait()
	return judgePermissions(answers)
}

func ask(ctx context.Context, client *iam.Client, q question) answer {
	got, actions := answer{question: q}, strings.Fields(q.actions)
	pages := iam.NewSimulatePrincipalPolicyPaginator(client, &iam.SimulatePrincipalPolicyInput{
		PolicySourceArn: &q.role, ActionNames: actions, ResourceArns: []string{q.arn}})
	for pages.HasMorePages() && got.err == nil {
		page, err := pages.NextPage(ctx)
		if err == nil {
			got.decisions = append(got.decisions, page.EvaluationResults...)
		}
		got.err = err
	}
	if got.err == nil && len(got.decisions) < len(actions) {
		got.err = errors.New("IAM did not answer for every action")
	}
	return got
}

// judgePermissions names each action that is not allowed. A role that does not exist is named once, and so is the error
// of questions that IAM did not answer.
func judgePermissions(answers []answer) []Diagnosis {
	const about = "permissions"
	var wrong, unknown problems
	var roles, gone []string
	for _, a := range answers {
		if !slices.Contains(roles, a.role) {
			roles = append(roles, a.role)
		}
		if a.err != nil {
			said := failed(about, a.err)
			if said.Level != Error {
				unknown = append(unknown, said)
			} else if !slices.Contains(gone, a.role) {
				gone = append(gone, a.role)
				said.Sentence = fmt.Sprintf("the role of %s, %s, %s", a.part, lastPart(a.role, "/"), said.Sentence)
				wrong = append(wrong, said)
			}
			continue
		}
		wrong = append(wrong, a.judge()...)
	}
	if len(unknown) > 0 {
		wrong.add(unknown[0].Level, unknown[0].Fix, "%s (%d of %d questions)", unknown[0].Sentence, len(unknown),
			len(answers))
	}
	if len(answers) == 0 {
		wrong.add(Unknown, "", "no role was found")
	}
	return judge(about, fmt.Sprintf(
		"the policies of all %d roles allow what they need; policies of resources and keys are not checked",
		len(roles)), wrong)
}

// judge names the actions that are not allowed, and the fix of the first. The result is unknown if a policy depends on
// properties of a real call, such as its address; the stack's own policies do not.
func (a answer) judge() []Diagnosis {
	var denied []string
	var fix string
	level := Error
	for _, d := range a.decisions {
		if d.EvalDecision == iamtypes.PolicyEvaluationDecisionTypeAllowed {
			continue
		}
		denied = append(denied, aws.ToString(d.EvalActionName))
		if fix == "" {
			fix = fixOf(d)
		}
		if len(d.MissingContextValues) > 0 {
			level, fix = Unknown, "a policy that the stack did not create depends on "+strings.Join(
				d.MissingContextValues, ", ")+", which a simulation does not know: check it yourself"
		}
	}
	if len(denied) == 0 {
		return nil
	}
	return []Diagnosis{{Level: level, Sentence: fmt.Sprintf("the role of %s, %s, may not %s on %s", a.part,
		lastPart(a.role, "/"), strings.Join(denied, ", "), a.arn), Fix: fix}}
}

func fixOf(d iamtypes.EvaluationResult) string {
	organization, boundary := d.OrganizationsDecisionDetail, d.PermissionsBoundaryDecisionDetail
	switch {
	case organization != nil && !organization.AllowedByOrganizations:
		return "the organization's policies do not allow it: ask their administrator"
	case boundary != nil && !boundary.AllowedByPermissionsBoundary:
		return "the role's permissions boundary does not allow it: extend it"
	case d.EvalDecision == iamtypes.PolicyEvaluationDecisionTypeExplicitDeny:
		return "a policy denies it that the stack did not create: remove it"
	}
	return "deploy again; if that does not help, CloudFormation's drift detection shows what was removed from the " +
		"role's policy"
}

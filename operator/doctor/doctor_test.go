package doctor_test

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/pipes"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"

	"snapshot-status-checker/operator/deployment"
	"snapshot-status-checker/operator/doctor"
	"snapshot-status-checker/operator/operatortest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// What AWS answers about a part of a deployment.
type (
	stack        = cloudformation.ListStackResourcesOutput
	table        = dynamodb.DescribeTableOutput
	queue        = sqs.GetQueueAttributesOutput
	topic        = sns.GetTopicAttributesOutput
	stateMachine = sfn.DescribeStateMachineOutput
	function     = lambda.GetFunctionConfigurationOutput
	pipe         = pipes.DescribePipeOutput
	schedule     = scheduler.GetScheduleOutput
	alarms       = cloudwatch.DescribeAlarmsOutput
	decisions    = iam.SimulatePrincipalPolicyOutput
)

func attribute(url, name, value string) change {
	return on("https://sqs/"+url+`"`, func(q *queue) { q.Attributes[name] = value })
}

func variable(task, name, value string) change {
	return on("dev-"+task, func(f *function) { f.Environment.Variables[name] = value })
}

// denied is IAM's answer about some actions of a role.
func denied(role, actions string, how func(*iamtypes.EvaluationResult)) change {
	return on("arn:role/"+role, func(all *decisions) {
		for i := range all.EvaluationResults {
			if strings.Contains(actions, *all.EvaluationResults[i].EvalActionName) {
				all.EvaluationResults[i].EvalDecision = "implicitDeny"
				how(&all.EvaluationResults[i])
			}
		}
	})
}

func within(organization, boundary bool) func(*iamtypes.EvaluationResult) {
	return func(d *iamtypes.EvaluationResult) {
		d.OrganizationsDecisionDetail = &iamtypes.OrganizationsDecisionDetail{AllowedByOrganizations: organization}
		d.PermissionsBoundaryDecisionDetail = &iamtypes.PermissionsBoundaryDecisionDetail{
			AllowedByPermissionsBoundary: boundary}
	}
}

// dependsOnTheCall is a decision that a condition of a policy decides with each call.
func dependsOnTheCall(decision iamtypes.PolicyEvaluationDecisionType) func(*iamtypes.EvaluationResult) {
	return func(d *iamtypes.EvaluationResult) {
		d.EvalDecision, d.MissingContextValues = decision, []string{"aws:SourceIp"}
	}
}

// refused makes calls of a service fail, if their input has the text.
func refused(service, named, code string) change {
	return func(in, _ any) (done bool, err error) {
		if !strings.HasPrefix(fmt.Sprintf("%T", in), "*"+service) || !names(in, named) {
			return false, nil
		}
		return true, &smithy.GenericAPIError{Code: code, Message: "because of " + code}
	}
}

// says is all that is found.
func says(t *testing.T, d deployment.Deployment) (found []string) {
	t.Helper()
	all, err := doctor.Examine(t.Context(), d, "v1", "snapshot-status --stack=dev", "aws --region=eu-west-1")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		line := fmt.Sprintf("%s %s: %s", f.Level, f.About, f.Sentence)
		if f.Fix != "" {
			line += "\n    > " + f.Fix
		}
		found = append(found, line)
	}
	return found
}

// Each thing that is broken is found, and nothing else. The golden file has all that is found about healthy
// deployments, and what others have besides.
func TestExamine(t *testing.T) {
	t.Parallel()
	var got strings.Builder
	healthy := map[string][]string{}
	for _, express := range []string{"", "-express"} {
		healthy[express] = says(t, deployed(t, "healthy", express))
		fmt.Fprintf(&got, "healthy%s:\n  %s\n", express, strings.Join(healthy[express], "\n  "))
	}
	besides := func(name string, d deployment.Deployment, healthy []string) {
		fmt.Fprintf(&got, "%s:\n", name)
		for _, found := range says(t, d) {
			if !slices.Contains(healthy, found) {
				fmt.Fprintf(&got, "  %s\n", found)
			}
		}
	}
	broken := func(name string, changes ...change) { besides(name, deployed(t, name, "", changes...), healthy[""]) }

	broken("table", on("ledger", func(t *table) { t.Table.TableStatus = "CREATING" }))
	broken("no stream", on("rows", func(t *table) { t.Table.StreamSpecification, t.Table.LatestStreamArn = nil, nil }))
	broken("no stream of the ledger", on("ledger", func(t *table) { t.Table.StreamSpecification = nil }))
	broken("stream off", on("rows", func(t *table) { *t.Table.StreamSpecification.StreamEnabled = false }))
	broken("stream of keys", on("rows", func(t *table) { t.Table.StreamSpecification.StreamViewType = "KEYS_ONLY" }))
	broken("new stream", on("rows", func(t *table) {
		*t.Table.LatestStreamArn = strings.Replace(stream, "-01", "-11", 1)
	}))

	broken("unencrypted", attribute("state", "SqsManagedSseEnabled", "false"))
	broken("encrypted by AWS", attribute("state", "SqsManagedSseEnabled", "false"),
		attribute("state", "KmsMasterKeyId", "alias/aws/sqs"))
	broken("no dead-letter queue", attribute("state", "RedrivePolicy", ""))
	broken("no dead-letter target", attribute("files", "RedrivePolicy", "{}"))
	broken("no dead-letter queue needed", attribute("rejected", "RedrivePolicy", ""))
	broken("visibility", attribute("files", "VisibilityTimeout", "149"))
	besides("visibility of EXPRESS", deployed(t, "visibility of EXPRESS", "-express",
		attribute("files", "VisibilityTimeout", "449")),
		healthy["-express"])
	broken("visibility of another queue", attribute("state", "VisibilityTimeout", "5"))
	broken("large messages", attribute("files", "MaximumMessageSize", "12135"))
	broken("large messages, alone not too large", attribute("files", "MaximumMessageSize", "128256"))
	broken("large messages, too large alone", attribute("files", "MaximumMessageSize", "128257"))
	broken("rejected", attribute("rejected", "ApproximateNumberOfMessages", "1"))
	broken("dead letters of files", attribute("files-dead", "ApproximateNumberOfMessages", "2"))
	broken("dead letters of requests", attribute("state-dead", "ApproximateNumberOfMessages", "2"))
	broken("no subscriber", on("", func(t *topic) { t.Attributes["SubscriptionsConfirmed"] = "0" }))

	broken("machine", on("", func(m *stateMachine) { m.Status = "DELETING" }))
	broken("definition", on("", func(m *stateMachine) {
		*m.Definition = strings.Replace(*m.Definition, `"TimeoutSeconds": `, `"TimeoutSeconds": 1`, 1)
	}))
	broken("definition of EXPRESS", on("", func(m *stateMachine) {
		*m.Definition = strings.ReplaceAll(*m.Definition, "STANDARD", "EXPRESS")
	}))
	broken("no logging", on("", func(m *stateMachine) { m.LoggingConfiguration = nil }))
	broken("logging of errors", on("", func(m *stateMachine) { m.LoggingConfiguration.Level = "ERROR" }))

	broken("function", on("dev-notify", func(f *function) { f.State, f.StateReason = "Failed", aws.String("why") }))
	broken("update failed", on("dev-notify", func(f *function) {
		f.LastUpdateStatus, f.LastUpdateStatusReason = "Failed", aws.String("why")
	}))
	broken("no variables", on("dev-notify", func(f *function) { f.Environment = nil }))
	broken("no variables of the sweep", on("dev-sweep", func(f *function) { f.Environment = nil }))
	broken("variable", variable("check-all", "LEDGER_TABLE_NAME", "other"))
	broken("lease of EXPRESS", variable("check-collection", "LEASE_SECONDS", "300"))
	broken("settings", variable("sweep", "STALLED_AFTER_MINUTES", "soon"))
	broken("settings that only the sweep reads", variable("notify", "STALLED_AFTER_MINUTES", "soon"))
	broken("architecture", on("dev-notify", func(f *function) { f.Architectures[0] = "x86_64" }))
	broken("runtime", on("", func(f *function) { f.Runtime = "provided.al2" }))
	broken("being created", on("dev-sweep", func(f *function) { f.State = "Pending" }))
	broken("being updated", on("dev-sweep", func(f *function) { f.LastUpdateStatus = "InProgress" }))

	broken("pipe", on("dev-file", func(p *pipe) { p.CurrentState, p.StateReason = "STOPPED", aws.String("why") }))
	broken("pipe of changes", on("dev-status", func(p *pipe) { p.CurrentState = "STOPPED" }))
	broken("target", on("dev-status", func(p *pipe) { *p.Target = "arn:other" }))
	broken("source", on("dev-file", func(p *pipe) { *p.Source = "arn:aws:sqs:eu-west-1:1:other" }))
	broken("source of changes", on("dev-status", func(p *pipe) {
		*p.Source = strings.Replace(stream, "rows", "other", 1)
	}))
	broken("no pipe of changes", on("", func(s *stack) {
		s.StackResourceSummaries = slices.Delete(s.StackResourceSummaries, 1, 2)
	}))
	broken("schedule", on("", func(s *schedule) { s.State = "DISABLED" }))
	broken("schedule of another function", on("", func(s *schedule) { *s.Target.Arn = "arn:lambda:other" }))
	broken("schedule of nothing", on("", func(s *schedule) { s.Target = nil }))

	broken("alarm", on("", func(a *alarms) { a.MetricAlarms = a.MetricAlarms[:1] }))
	broken("alarm without action", on("", func(a *alarms) { a.MetricAlarms[1].AlarmActions = nil }))
	broken("alarm off", on("", func(a *alarms) { *a.MetricAlarms[1].ActionsEnabled = false }))
	broken("alarm raised", on("", func(a *alarms) { a.MetricAlarms[1].StateValue = "ALARM" }))

	broken("denied", denied("check-all", "dynamodb:GetItem logs:PutLogEvents", func(*iamtypes.EvaluationResult) {}))
	broken("denied by a policy", denied("schedule", "lambda:InvokeFunction", func(d *iamtypes.EvaluationResult) {
		d.EvalDecision = "explicitDeny"
	}))
	broken("denied by the organization", denied("schedule", "lambda:InvokeFunction", within(false, true)))
	broken("denied by the boundary", denied("schedule", "lambda:InvokeFunction", within(true, false)))
	broken("denied within both", denied("schedule", "lambda:InvokeFunction", within(true, true)))
	broken("depends on the call", denied("check-all", "dynamodb:GetItem", dependsOnTheCall("explicitDeny")))
	broken("allowed whatever the call", denied("check-all", "dynamodb:GetItem", dependsOnTheCall("allowed")))
	broken("no answer about an action", on("arn:role/notify", func(all *decisions) {
		all.EvaluationResults = all.EvaluationResults[1:]
	}))

	broken("no permission", refused("", "", "AccessDenied"))
	broken("no permission for the stack", refused("cloudformation", "", "AuthorizationError"))
	broken("no permission for pipes", refused("pipes", "", "AccessDeniedException"))
	broken("no permission for alarms", refused("cloudwatch", "", "AccessDenied"))
	broken("no permission to ask IAM", refused("iam", "", "AccessDenied"))
	broken("role gone", refused("iam", "arn:role/notify", "NoSuchEntity"))
	broken("tables gone", refused("dynamodb", "", "ResourceNotFoundException"))
	broken("queues gone", refused("sqs", "", "AWS.SimpleQueueService.NonExistentQueue"))
	broken("machine gone", refused("sfn", "", "StateMachineDoesNotExist"))
	broken("throttled", refused("scheduler", "", "ThrottlingException"))
	broken("no connection", func(in, _ any) (done bool, err error) {
		if _, done = in.(*sns.GetTopicAttributesInput); done {
			err = errors.New("no connection")
		}
		return done, err
	})
	unnamed := deployed(t, "no stack", "")
	unnamed.Stack = ""
	besides("no stack", unnamed, nil)
	local := deployed(t, "local", "", on("dev-status", func(p *pipe) { p.CurrentState = "STOPPED" }),
		on("", func(m *stateMachine) { m.LoggingConfiguration = nil }))
	local.Local = true
	besides("what the local engine does not have", local, healthy[""])
	operatortest.Golden(t, *update, "findings", got.String())
}

// What IAM is asked follows from what is known: the type of the state machine, a key of the stack's, and the roles and
// resources that could be read.
func TestQuestions(t *testing.T) {
	t.Parallel()
	var got strings.Builder
	questions := func(name, express string, changes ...change) {
		var mu sync.Mutex
		asked := map[string]bool{}
		changes = append(changes, func(in, _ any) (done bool, err error) {
			question, is := in.(*iam.SimulatePrincipalPolicyInput)
			if is {
				mu.Lock()
				defer mu.Unlock()
				asked[fmt.Sprint(*question.PolicySourceArn, " on ", question.ResourceArns, ": ",
					question.ActionNames)] = true
			}
			return is, nil
		})
		says(t, deployed(t, name, express, changes...))
		fmt.Fprintf(&got, "%s:\n  %s\n", name, strings.Join(slices.Sorted(maps.Keys(asked)), "\n  "))
	}
	questions("standard", "")
	questions("express, with a key", "-express", attribute("rejected", "KmsMasterKeyId", customerKey))
	changes := []change{attribute("files", "KmsMasterKeyId", customerKey),
		attribute("rejected", "KmsMasterKeyId", "alias/aws/sqs"), refused("pipes", "dev-status-changed",
			"AccessDenied")}
	for _, service := range []string{"dynamodb", "lambda", "sfn", "scheduler"} {
		changes = append(changes, refused(service, "", "AccessDenied"))
	}
	questions("of the pipe of messages alone", "", changes...)
	operatortest.Golden(t, *update, "questions", got.String())
}

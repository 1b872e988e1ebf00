package doctor

import (
	"strings"
	"testing"

	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

// decides is IAM's answer about one action.
func decides(action string, decision iamtypes.PolicyEvaluationDecisionType) iamtypes.EvaluationResult {
	return iamtypes.EvaluationResult{EvalActionName: &action, EvalDecision: decision}
}

const (
	allowed  = iamtypes.PolicyEvaluationDecisionTypeAllowed
	implicit = iamtypes.PolicyEvaluationDecisionTypeImplicitDeny
	explicit = iamtypes.PolicyEvaluationDecisionTypeExplicitDeny
	again    = "deploy again; if that does not help, CloudFormation's drift detection shows what was removed from " +
		"the role's policy"
)

func TestJudgePermissions(t *testing.T) {
	t.Parallel()
	about := func(part string) question {
		return question{part: part, role: "arn:aws:iam::1:role/" + part + "-role", resource: "arn:of:" + part}
	}
	says := func(part string, decisions ...iamtypes.EvaluationResult) answer {
		return answer{question: about(part), decisions: decisions}
	}
	fails := func(part, code string) answer {
		return answer{question: about(part), err: &smithy.GenericAPIError{Code: code, Message: "because of " + part}}
	}
	ofOrganization, ofBoundary := decides("a:Do", implicit), decides("a:Do", implicit)
	ofOrganization.OrganizationsDecisionDetail = &iamtypes.OrganizationsDecisionDetail{}
	ofBoundary.PermissionsBoundaryDecisionDetail = &iamtypes.PermissionsBoundaryDecisionDetail{}
	within := decides("a:Do", implicit) // of an organization and a boundary that allow it
	within.OrganizationsDecisionDetail = &iamtypes.OrganizationsDecisionDetail{AllowedByOrganizations: true}
	within.PermissionsBoundaryDecisionDetail = &iamtypes.PermissionsBoundaryDecisionDetail{
		AllowedByPermissionsBoundary: true}
	conditional := decides("a:Go", explicit)
	conditional.MissingContextValues = []string{"aws:SourceIp"}
	allowedAnyway := decides("a:Do", allowed)
	allowedAnyway.MissingContextValues = []string{"aws:SourceIp"}
	deniedTo := func(part, actions, fix string) Diagnosis {
		return Diagnosis{Error, "permissions", "the role of " + part + ", " + part + "-role, may not " + actions +
			" on arn:of:" + part, fix}
	}
	for _, test := range []struct {
		name    string
		answers []answer
		want    []Diagnosis
	}{
		{"Allowed", []answer{says("x", decides("a:Do", allowed)), says("x", decides("a:Be", allowed)),
			says("y", decides("a:Do", allowed))}, []Diagnosis{{OK, "permissions",
			"the policies of all 2 roles allow what they need; policies of resources and keys are not checked",
			""}}},
		{"Denied", []answer{says("x", decides("a:Do", implicit), decides("a:Be", allowed), decides("a:Go", implicit)),
			says("y", decides("a:Do", allowed))}, []Diagnosis{deniedTo("x", "a:Do, a:Go", again)}},
		{"DeniedByWhom", []answer{says("x", decides("a:Do", explicit)), says("y", ofOrganization),
			says("z", ofBoundary), says("w", within)},
			[]Diagnosis{deniedTo("x", "a:Do", "a policy denies it that the stack did not create: remove it"),
				deniedTo("y", "a:Do", "the organization's policies do not allow it: ask their administrator"),
				deniedTo("z", "a:Do", "the role's permissions boundary does not allow it: extend it"),
				deniedTo("w", "a:Do", again)}},
		{"DependsOnTheCall", []answer{says("x", allowedAnyway, decides("a:Be", implicit), conditional)},
			[]Diagnosis{{Unknown, "permissions", "the role of x, x-role, may not a:Be, a:Go on arn:of:x",
				"a policy that the stack did not create depends on aws:SourceIp, which a simulation does not " +
					"know: check it yourself"}}},
		{"MayNotAsk", []answer{fails("x", "AccessDenied"), fails("x", "AccessDenied"), fails("y", "AccessDenied"),
			says("z", decides("a:Do", allowed))},
			[]Diagnosis{{Unknown, "permissions", "not checked: because of x (3 of 4 questions)",
				"use a role that may read it"}}},
		{"RoleIsGone", []answer{fails("x", "NoSuchEntity"), fails("x", "NoSuchEntity"),
			says("y", decides("a:Do", allowed))},
			[]Diagnosis{{Error, "permissions", "the role of x, x-role, does not exist: because of x",
				"deploy the stack again"}}},
		{"NothingKnown", nil, []Diagnosis{{Unknown, "permissions", "no role was found", ""}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, judgePermissions(test.answers)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What is asked follows from what is known: the type of the state machine, a key, and the roles and resources that
// could be read.
func TestQuestions(t *testing.T) {
	t.Parallel()
	asks := func(machine string, knows ...string) (all []string) {
		e := &examination{arns: map[string]string{}}
		e.StateMachineArn = "arn:aws:states:eu-west-1:111122223333:stateMachine:" + machine
		e.learnNames()
		for _, name := range knows {
			e.learn(name, "arn:"+name)
		}
		e.learn(roleOf("function notify"), "") // as good as not known
		for _, q := range e.questions() {
			all = append(all, q.resource+" "+strings.Join(q.actions, " "))
		}
		return all
	}
	const pipeLogs = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/vendedlogs/pipes/dev-file-received:" +
		"log-stream:any logs:CreateLogStream logs:PutLogEvents"
	const machine = "arn:aws:states:eu-west-1:111122223333:stateMachine:dev"
	for _, test := range []struct {
		name      string
		got, want []string
	}{
		{"NoRole", asks("dev", statusTable, ledger), nil},
		{"Standard", asks("dev", roleOf(ofMessages)), []string{machine + " states:StartExecution", pipeLogs}},
		{"Express", asks("dev-express", roleOf(ofMessages)), []string{machine + "-express states:StartSyncExecution",
			pipeLogs}},
		{"WithKey", asks("dev", roleOf(ofMessages), customerKey), []string{machine + " states:StartExecution", pipeLogs,
			"arn:customer managed key kms:Decrypt"}},
		{"Function", asks("dev", roleOf("function check-all"), ledger),
			[]string{"arn:ledger dynamodb:GetItem dynamodb:UpdateItem",
				"arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/dev-check-all:log-stream:any " +
					"logs:CreateLogStream logs:PutLogEvents",
				"* xray:PutTelemetryRecords xray:PutTraceSegments"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, test.got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Dead letters of files are replayed by the command; those of other queues are not.
func TestEmptyingADeadLetterQueue(t *testing.T) {
	t.Parallel()
	e := &examination{command: "snapshot-status --stack=x"}
	for about, want := range map[string]string{
		"dead-letter queue QueuesFileReceivedDeadLetters12345678": "snapshot-status --stack=x rejected list " +
			"--dead-letters",
		"dead-letter queue QueuesExportStateDeadLetters12345678": "see docs/failures.md",
	} {
		if got := e.emptying(about); got != want {
			t.Errorf("%s: %s, want %s", about, got, want)
		}
	}
}

// The key of the rejected-messages queue is the stack's; that of an adopted queue, or one that AWS keeps, is not.
func TestLearnQueue(t *testing.T) {
	t.Parallel()
	const key = "arn:aws:kms:eu-west-1:1:key/k"
	for _, test := range []struct{ name, about, url, key, learns, want string }{
		{"Rejected", "rejected-messages queue", "rejected", key, customerKey, key},
		{"RejectedWithoutKey", "rejected-messages queue", "rejected", "", customerKey, ""},
		{"KeyOfAWS", "rejected-messages queue", "rejected", "alias/aws/sqs", customerKey, ""},
		{"Adopted", "file-received queue", "files", key, customerKey, ""},
		{"ARN", "export state queue", "state", "", "export state queue", "arn:state"},
		{"DeadLetters", "dead-letter queue StatusChangedPipeDeadLetters12345678", "dead", "", changesDeadLetters,
			"arn:dead"},
		{"OtherDeadLetters", "dead-letter queue QueuesFileReceivedDeadLetters12345678", "dead", "", changesDeadLetters,
			""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e := &examination{arns: map[string]string{}}
			e.RejectedMessagesQueueUrl = "rejected"
			e.learnQueue(test.about, test.url, map[string]string{"QueueArn": "arn:" + test.url,
				"KmsMasterKeyId": test.key})
			if got := e.arns[test.learns]; got != test.want {
				t.Errorf("learnt %q, want %q", got, test.want)
			}
		})
	}
}

package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"golang.org/x/sync/errgroup"
)

// question is whether the role of a part may use these actions on a resource.
type question struct {
	part, role, resource string
	actions              []string
}

// answer is the answer of IAM to a question, or its error.
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
	got := answer{question: q}
	pages := iam.NewSimulatePrincipalPolicyPaginator(client, &iam.SimulatePrincipalPolicyInput{
		PolicySourceArn: &q.role, ActionNames: q.actions, ResourceArns: []string{q.resource}})
	for pages.HasMorePages() && got.err == nil {
		page, err := pages.NextPage(ctx)
		if err == nil {
			got.decisions = append(got.decisions, page.EvaluationResults...)
		}
		got.err = err
	}
	if got.err == nil && len(got.decisions) < len(q.actions) {
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
		lastPart(a.role, "/"), strings.Join(denied, ", "), a.resource), Fix: fix}}
}

// fixOf is the fix of a decision that does not allow.
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

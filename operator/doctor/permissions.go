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

// question is whether the role of a part may do this with a resource.
type question struct {
	part, role, resource string
	actions              []string
}

// answer is what IAM said to a question, or why it said nothing.
type answer struct {
	question
	decisions []iamtypes.EvaluationResult
	err       error
}

// permissions asks IAM what the roles may do, which the other checks have learnt of. One question is about one
// resource: IAM holds every action of a question against every resource, and refuses some mixtures.
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

// judgePermissions names each action that is not allowed. A role that is gone is said once, and so is what could not be
// asked: mostly it is all for one reason.
func judgePermissions(answers []answer) []Diagnosis {
	const about = "permissions"
	var wrong, untold []Diagnosis
	var roles, gone []string
	for _, a := range answers {
		if !slices.Contains(roles, a.role) {
			roles = append(roles, a.role)
		}
		if a.err != nil {
			said := failed(about, a.err)
			if said.Level != Error {
				untold = append(untold, said)
			} else if !slices.Contains(gone, a.role) {
				gone = append(gone, a.role)
				said.Says = fmt.Sprintf("the role of %s, %s, %s", a.part, lastPart(a.role, "/"), said.Says)
				wrong = append(wrong, said)
			}
			continue
		}
		wrong = append(wrong, a.judge()...)
	}
	if len(untold) > 0 {
		first := untold[0]
		first.Says = fmt.Sprintf("%s (%d of %d questions)", first.Says, len(untold), len(answers))
		wrong = append(wrong, first)
	}
	if len(answers) == 0 {
		wrong = append(wrong, Diagnosis{Level: Unknown, Says: "no role is known"})
	}
	return judge(about, fmt.Sprintf(
		"the policies of all %d roles allow what they must; what those of resources and keys forbid is not seen",
		len(roles)), wrong...)
}

// judge names the actions that are not allowed, and what to do about the first. It cannot be told if a policy asks for
// what only a real call has, such as its address: the stack's own policies ask for nothing.
func (a answer) judge() []Diagnosis {
	var denied []string
	var cure string
	level := Error
	for _, d := range a.decisions {
		if d.EvalDecision == iamtypes.PolicyEvaluationDecisionTypeAllowed {
			continue
		}
		denied = append(denied, aws.ToString(d.EvalActionName))
		if cure == "" {
			cure = cureOf(d)
		}
		if len(d.MissingContextValues) > 0 {
			level, cure = Unknown, "a policy that the stack did not make asks for "+strings.Join(d.MissingContextValues,
				", ")+", which a simulation does not know: judge it yourself"
		}
	}
	if len(denied) == 0 {
		return nil
	}
	return []Diagnosis{{Level: level, Says: fmt.Sprintf("the role of %s, %s, may not %s on %s", a.part,
		lastPart(a.role, "/"), strings.Join(denied, ", "), a.resource), Cure: cure}}
}

// cureOf says what to do about a decision that does not allow.
func cureOf(d iamtypes.EvaluationResult) string {
	organization, boundary := d.OrganizationsDecisionDetail, d.PermissionsBoundaryDecisionDetail
	switch {
	case organization != nil && !organization.AllowedByOrganizations:
		return "the organization's policies do not allow it: ask who keeps them"
	case boundary != nil && !boundary.AllowedByPermissionsBoundary:
		return "the role's permissions boundary does not allow it: widen it"
	case d.EvalDecision == iamtypes.PolicyEvaluationDecisionTypeExplicitDeny:
		return "a policy denies it, and the stack makes no such policy: take it away"
	}
	return "deploy again; if that changes nothing, CloudFormation's drift detection shows what was taken from the " +
		"role's policy"
}

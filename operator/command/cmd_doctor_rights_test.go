package command

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"snapshot-status-checker/operator/doctor"
)

// granted is the inline policy of one of the stack's roles.
type granted struct {
	role, name, document string
	statements           []statement
}

type statement struct{ Action, Resource oneOrMore }

// oneOrMore is a list that JSON writes as its element if there is but one.
type oneOrMore []string

func (l *oneOrMore) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*l = []string{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(l))
}

// policies are those of all of the stack's roles.
func (s onStack) policies() (all []granted) {
	s.Helper()
	client := iam.NewFromConfig(s.Config)
	listed := must(cloudformation.NewFromConfig(s.Config).DescribeStackResources(s.Context(),
		&cloudformation.DescribeStackResourcesInput{StackName: &s.Name}))
	for _, r := range listed.StackResources {
		if aws.ToString(r.ResourceType) != "AWS::IAM::Role" {
			continue
		}
		names := must(client.ListRolePolicies(s.Context(),
			&iam.ListRolePoliciesInput{RoleName: r.PhysicalResourceId}))
		for _, name := range names.PolicyNames {
			got := must(client.GetRolePolicy(s.Context(),
				&iam.GetRolePolicyInput{RoleName: r.PhysicalResourceId, PolicyName: &name}))
			document := must(url.PathUnescape(aws.ToString(got.PolicyDocument)))
			var policy struct{ Statement []statement }
			if err := json.Unmarshal([]byte(document), &policy); err != nil {
				s.Fatal(err)
			}
			all = append(all, granted{*r.PhysicalResourceId, name, document, policy.Statement})
		}
	}
	return all
}

// put gives the role a document in place of its policy.
func (s onStack) put(g granted, document string) {
	s.Helper()
	must(iam.NewFromConfig(s.Config).PutRolePolicy(s.Context(),
		&iam.PutRolePolicyInput{RoleName: &g.role, PolicyName: &g.name, PolicyDocument: &document}))
}

// permissions is what doctor says about them.
func (s onStack) permissions() (found []doctor.Diagnosis) {
	s.Helper()
	var answer examined
	s.read(&answer, "doctor")
	for _, f := range answer.Findings {
		if f.About == "permissions" {
			found = append(found, f)
		}
	}
	return found
}

// Doctor asks for all that the stack grants, and for nothing else: a healthy stack lacks no right, and a stack without
// any right misses each.
func TestDoctorKnowsEveryRight(t *testing.T) {
	s := deployed(t)
	all := s.policies()
	if len(all) != 9 {
		t.Fatalf("%d policies", len(all))
	}
	if got := s.permissions(); len(got) != 1 || got[0].Level != doctor.OK || !strings.Contains(got[0].Sentence,
		"all 9 roles") {
		t.Errorf("healthy, but: %+v", got)
	}

	const nothing = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:GetCallerIdentity",` +
		`"Resource":"*"}]}`
	for _, g := range all {
		s.put(g, nothing)
	}
	got := s.permissions()
	for _, g := range all {
		s.put(g, g.document)
	}
	for _, g := range all {
		for _, right := range rightsOf(g) {
			if !slices.ContainsFunc(got, right.missedBy) {
				t.Errorf("doctor does not know that %s may %s", g.role, right)
			}
		}
	}
}

// right is an action of a role on a resource.
type right struct{ role, action, resource string }

func (r right) String() string { return fmt.Sprintf("%s on %s", r.action, r.resource) }

// missedBy reports whether a finding says that the right is missing. Of a log group, doctor asks for one of its
// streams.
func (r right) missedBy(f doctor.Diagnosis) bool {
	actions, resource, _ := strings.Cut(f.Sentence, " on ")
	return f.Level == doctor.Error && strings.Contains(actions, ", "+r.role+", may not ") &&
		slices.Contains(strings.Fields(strings.ReplaceAll(actions, ",", "")), r.action) &&
		(resource == r.resource || strings.HasPrefix(resource, strings.TrimSuffix(r.resource, "*")) &&
			strings.Contains(r.resource, ":log-group:"))
}

func rightsOf(g granted) (all []right) {
	for _, s := range g.statements {
		for _, action := range s.Action {
			for _, resource := range s.Resource {
				all = append(all, right{g.role, action, resource})
			}
		}
	}
	return all
}

package main

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/test/simulation"
)

// docs/security.md lists exactly the rights that the default template grants.
func TestSecurityDocumentListsTheRoles(t *testing.T) {
	t.Parallel()
	want := "| role | may do | on |\n|:---|:---|:---|\n" + strings.Join(byDefault().rights(), "\n") + "\n"
	if !strings.Contains(string(mustRead("../docs/security.md")), want) {
		t.Errorf("docs/security.md does not hold this table:\n%s", want)
	}
}

// rights lists what each role may do, as the rows of a table.
func (made template) rights() (rows []string) {
	granted := granted(made)
	for _, role := range slices.Sorted(maps.Keys(granted)) {
		actions := map[string][]string{}
		for _, pair := range granted[role] {
			action, resource, _ := strings.Cut(pair, " ")
			actions[resource] = append(actions[resource], action)
		}
		for _, resource := range slices.Sorted(maps.Keys(actions)) {
			rows = append(rows, fmt.Sprintf("| %s | %s | `%s` |", role, strings.Join(actions[resource], ", "),
				resource))
		}
	}
	return rows
}

// Every test that the documents name exists.
func TestDocumentsNameTests(t *testing.T) {
	t.Parallel()
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)`)
	mentioned := regexp.MustCompile(`\b(Test|Fuzz)[A-Z]\w+`)
	exists := map[string]bool{"TestState": true} // an API of Step Functions
	for _, folder := range []string{
		"functions", "infra", "internal", "statemachine", "operator", "local", "test", "tools",
	} {
		must(filepath.WalkDir(filepath.Join("..", folder), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			for _, found := range declared.FindAllSubmatch(text, -1) {
				exists[string(found[1])] = true
			}
			return err
		}))
	}
	for _, pattern := range []string{"../*.md", "../docs/*.md", "../tools/*.yaml", "../Makefile"} {
		documents, err := filepath.Glob(pattern)
		if must(err); len(documents) == 0 {
			t.Errorf("no document is %s", pattern)
		}
		for _, document := range documents {
			for _, name := range mentioned.FindAllString(string(mustRead(document)), -1) {
				if !exists[name] {
					t.Errorf("%s names %s, which does not exist", document, name)
				}
			}
		}
	}
}

// A role's rights come from its policy alone. Only its service may assume it and, where the service could act for
// another account, for this one only.
func TestRolesAreAssumedByTheirServiceAlone(t *testing.T) {
	t.Parallel()
	for id, r := range byDefault().Resources {
		switch r.Type {
		case "AWS::IAM::Role":
			given := statements(r.Properties["AssumeRolePolicyDocument"])
			service, _ := given[0]["Principal"].(map[string]any)["Service"].(string)
			want := map[string]any{"Action": "sts:AssumeRole", "Effect": "Allow",
				"Principal": map[string]any{"Service": service}}
			if service != "lambda.amazonaws.com" {
				want["Condition"] = map[string]any{"StringEquals": map[string]any{
					"aws:SourceAccount": "${AWS::AccountId}"}}
			}
			compare(t, []map[string]any{want}, given)
			compare(t, []string{"AssumeRolePolicyDocument", "Description"}, slices.Sorted(maps.Keys(r.Properties)))
		case "AWS::IAM::Policy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy":
		default:
			if strings.HasPrefix(r.Type, "AWS::IAM::") || strings.HasSuffix(r.Type, "Permission") ||
				strings.HasSuffix(r.Type, "Policy") {
				t.Errorf("%s grants rights too, as a %s", id, r.Type)
			}
		}
	}
}

// Every queue and the topic refuse plain HTTP, and their policies grant nothing.
func TestQueuesAndTopicRefusePlainHTTP(t *testing.T) {
	t.Parallel()
	made := byDefault()
	refuses := map[string]bool{}
	for kind, target := range map[string]string{"AWS::SQS::QueuePolicy": "Queues", "AWS::SNS::TopicPolicy": "Topics"} {
		for id, policy := range made.ofType(kind) {
			for _, statement := range statements(policy["PolicyDocument"]) {
				if statement["Effect"] != "Deny" {
					t.Errorf("%s grants %v", id, statement)
				}
				if cmp.Equal(statement["Condition"], map[string]any{"Bool": map[string]any{
					"aws:SecureTransport": "false"}}) {
					refuses[list(policy[target])[0]] = true
				}
			}
		}
	}
	want := map[string]bool{"${MonitoringTopic}": true}
	for id := range made.ofType("AWS::SQS::Queue") {
		want["${"+id+"}"] = true
	}
	compare(t, want, refuses)
}

// Tables, queues, topic and logs are encrypted with the key that the context names, and tables outlive the stack.
func TestWhatIsStoredIsEncryptedAndTablesAreRetained(t *testing.T) {
	t.Parallel()
	found := map[string]bool{}
	for id, r := range express().Resources {
		var key any
		switch r.Type {
		case "AWS::DynamoDB::Table":
			key = r.Properties["SSESpecification"].(map[string]any)["KMSMasterKeyId"]
			if r.DeletionPolicy != "Retain" || r.Properties["DeletionProtectionEnabled"] != true {
				t.Errorf("%s is deleted with the stack", id)
			}
		case "AWS::SQS::Queue", "AWS::SNS::Topic":
			key = r.Properties["KmsMasterKeyId"]
		case "AWS::Logs::LogGroup":
			key = r.Properties["KmsKeyId"]
			if r.Properties["RetentionInDays"] == nil {
				t.Errorf("%s keeps its lines for ever", id)
			}
		default:
			continue
		}
		if found[r.Type] = true; key != testKey {
			t.Errorf("%s has the key %v", id, key)
		}
	}
	if len(found) != 4 {
		t.Errorf("only %v were found", found)
	}
}

// The log of the state machine has no message in it.
func TestStateMachineLogsNoData(t *testing.T) {
	t.Parallel()
	machine := byDefault().ofType("AWS::StepFunctions::StateMachine")["WorkflowStateMachine"]
	compare(t, any(false), machine["LoggingConfiguration"].(map[string]any)["IncludeExecutionData"])
}

// The rights on tables are exactly the calls that the simulation records.
func TestTableRightsFollowFromTheCalls(t *testing.T) {
	t.Parallel()
	actions := map[string]string{"Get": "GetItem", "GetMany": "BatchGetItem", "Query": "Query", "Update": "UpdateItem"}
	tables := map[string]string{"status": "${TablesExportStatus.Arn}", "ledger": "${TablesLedger.Arn}"}
	roles := map[string]string{"increment": "FunctionsIncrementRole", "notify": "FunctionsNotifyRole",
		"check-collection": "FunctionsCheckCollectionRole", "check-all": "FunctionsCheckAllRole", "sweep": "SweepRole"}
	want, has := map[string]map[string]bool{}, map[string]map[string]bool{}
	for _, role := range roles {
		want[role], has[role] = map[string]bool{}, map[string]bool{}
		for _, pair := range granted(byDefault())[role] {
			if strings.HasPrefix(pair, "dynamodb:") {
				has[role][pair] = true
			}
		}
	}
	const schedules = 60 // one in five makes the rarest call
	for seed := range uint64(schedules) {
		for call := range simulation.Run(seed, simulation.Seeded(seed), nil).Calls {
			want[roles[call.Task]]["dynamodb:"+actions[call.Operation]+" "+tables[call.Table]] = true
		}
	}
	compare(t, want, has)
}

// granted flattens the policies into pairs of action and resource, by role. A statement with anything else is written
// out whole, so that it matches no expected pair.
func granted(made template) map[string][]string {
	pairs := map[string][]string{}
	for _, policy := range made.ofType("AWS::IAM::Policy") {
		for _, role := range list(policy["Roles"]) {
			role = role[len("${") : len(role)-len("}")]
			for _, statement := range statements(policy["PolicyDocument"]) {
				pairs[role] = append(pairs[role], flatten(statement)...)
			}
			slices.Sort(pairs[role])
		}
	}
	return pairs
}

func flatten(statement map[string]any) []string {
	keys := slices.Sorted(maps.Keys(statement))
	if !slices.Equal(keys, []string{"Action", "Effect", "Resource"}) || statement["Effect"] != "Allow" {
		return []string{fmt.Sprint(statement)}
	}
	var pairs []string
	for _, action := range list(statement["Action"]) {
		for _, resource := range list(statement["Resource"]) {
			pairs = append(pairs, action+" "+resource)
		}
	}
	return pairs
}

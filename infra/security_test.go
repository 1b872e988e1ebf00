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

	"snapshot-status-checker/test/simulation"
)

// docs/security.md lists exactly the rights that the template grants.
func TestSecurityDocumentListsTheRoles(t *testing.T) {
	t.Parallel()
	want, document := roleTable(granted(byDefault())), string(mustRead("../docs/security.md"))
	if !strings.Contains(document, want) {
		t.Errorf("docs/security.md does not hold this table:\n%s", want)
	}
}

func roleTable(pairs map[string][]string) string {
	var table strings.Builder
	table.WriteString("| role | may do | on |\n|:---|:---|:---|\n")
	for _, role := range slices.Sorted(maps.Keys(pairs)) {
		actions := map[string][]string{}
		for _, pair := range pairs[role] {
			action, resource, _ := strings.Cut(pair, " ")
			actions[resource] = append(actions[resource], action)
		}
		for _, resource := range slices.Sorted(maps.Keys(actions)) {
			fmt.Fprintf(&table, "| %s | %s | `%s` |\n", role, strings.Join(actions[resource], ", "), resource)
		}
	}
	return table.String()
}

var testName = regexp.MustCompile(`\b(Test|Fuzz)[A-Z]\w+`)

// Every test that the documents name exists.
func TestDocumentsNameTests(t *testing.T) {
	t.Parallel()
	exists := map[string]bool{}
	for _, folder := range []string{"functions", "infra", "internal", "statemachine", "operator", "local", "test"} {
		must(filepath.WalkDir(filepath.Join("..", folder), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			for _, found := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)`).FindAllSubmatch(text, -1) {
				exists[string(found[1])] = true
			}
			return err
		}))
	}
	for _, document := range []string{"security", "cutover"} {
		named := testName.FindAllString(string(mustRead("../docs/"+document+".md")), -1)
		if len(named) == 0 {
			t.Errorf("docs/%s.md names no test", document)
		}
		for _, name := range named {
			if !exists[name] {
				t.Errorf("docs/%s.md names %s, which does not exist", document, name)
			}
		}
	}
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
	const schedules = 300 // one in five makes the rarest call
	for seed := range uint64(schedules) {
		for call := range simulation.Run(seed, simulation.Seeded(seed), nil).Calls {
			want[roles[call.Task]]["dynamodb:"+actions[call.Operation]+" "+tables[call.Table]] = true
		}
	}
	compare(t, want, has)
}

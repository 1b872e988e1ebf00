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
)

// The table of roles in docs/security.md is what the template grants.
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

// Every test that the document relies on is there.
func TestDocumentsNameTests(t *testing.T) {
	t.Parallel()
	there := map[string]bool{}
	for _, folder := range []string{"functions", "infra", "internal", "statemachine", "operator", "local", "test"} {
		must(filepath.WalkDir(filepath.Join("..", folder), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			for _, found := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)`).FindAllSubmatch(text, -1) {
				there[string(found[1])] = true
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
			if !there[name] {
				t.Errorf("docs/%s.md names %s, which is nowhere", document, name)
			}
		}
	}
}

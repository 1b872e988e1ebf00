package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// Two environments fit into one account and region: they share no name that the template gives, and export no value,
// whose name would have to be unique too. CloudFormation names the rest. (test/e2e deploys three.)
func TestEnvironmentsDoNotClash(t *testing.T) {
	t.Parallel()
	one, other := byDefault(), synthesize(map[string]any{"environment": "other"})
	ours, theirs := one.names(), other.names()
	for name := range ours {
		if theirs[name] {
			t.Errorf("both environments have %s", name)
		}
	}
	// alarms, functions, log groups, queries, machine, schedule, dashboard
	if len(ours) != len(theirs) || len(ours) < 50 {
		t.Errorf("%d and %d names were found: %v", len(ours), len(theirs), slices.Sorted(maps.Keys(ours)))
	}
	for _, made := range []template{one, other} {
		if strings.Contains(made.json, `"Export":`) {
			t.Error("a value is exported")
		}
	}
}

// names are the names that the template itself gives, by type and property.
func (made template) names() map[string]bool {
	// These need not be unique: a policy belongs to its role, an alarm refers to a metric, and people read the last.
	shared := []string{"PolicyName", "MetricName", "DisplayName"}
	names := map[string]bool{}
	for _, r := range made.Resources {
		for property, value := range r.Properties {
			if text, ok := value.(string); ok && strings.HasSuffix(property, "Name") &&
				!slices.Contains(shared, property) {
				names[r.Type+" "+property+" "+text] = true
			}
		}
	}
	return names
}

func TestReservedConcurrencyIsSetPerTask(t *testing.T) {
	t.Parallel()
	reserved := func(made template) map[string]any {
		got := map[string]any{}
		for id, function := range made.ofType("AWS::Lambda::Function") {
			if number := function["ReservedConcurrentExecutions"]; number != nil {
				got[id] = number
			}
		}
		return got
	}
	compare(t, map[string]any{}, reserved(byDefault()))
	compare(t, map[string]any{"FunctionsIncrementFunction": 20.0, "SweepFunction": 1.0}, reserved(express()))
}

// The stack has two tags and those of the context, and CloudFormation hands them on to its resources. A key of ours in
// another case replaces ours, since IAM refuses both.
func TestContextTagsJoinOrReplaceOurs(t *testing.T) {
	t.Parallel()
	for tags, want := range map[string]map[string]string{
		"team=data, cost centre=a/42": {
			"application": "checker", "environment": "prod", "team": "data", "cost centre": "a/42"},
		"Environment=production,APPLICATION=x": {"Environment": "production", "APPLICATION": "x"},
	} {
		dir := t.TempDir()
		makeFunctions(dir)
		synthesizeWith(dir, map[string]any{"environment": "prod", "application": "checker", "tags": tags})
		var manifest struct {
			Artifacts map[string]struct {
				Properties struct{ Tags map[string]string }
			}
		}
		must(json.Unmarshal(mustRead(filepath.Join(dir, "cdk.out", "manifest.json")), &manifest))
		compare(t, want, manifest.Artifacts["checker-prod"].Properties.Tags)
	}
}

// The same sources give the same template in any folder at any time, so that `cdk diff` shows real changes only.
func TestTemplateIsRepeatable(t *testing.T) {
	t.Parallel()
	elsewhere, changed := filepath.Join(t.TempDir(), "another", "folder"), t.TempDir()
	makeFunctions(elsewhere)
	makeFunctions(changed)
	must(os.WriteFile(filepath.Join(changed, "notify", "bootstrap"), []byte("changed"), 0o755))
	if byDefault().json != synthesizeWith(elsewhere, nil).json {
		t.Error("the template made again differs")
	}
	if byDefault().json == synthesizeWith(changed, nil).json {
		t.Error("the template of a changed function is the same")
	}
}

// A function's binary, and with it the asset's hash in the template, depends on its sources alone: not on their folder,
// nor on git.
func TestFunctionsBuildIsRepeatable(t *testing.T) {
	t.Parallel()
	copied := filepath.Join(t.TempDir(), "copy")
	for _, folder := range []string{"functions", "internal"} {
		must(os.CopyFS(filepath.Join(copied, folder), os.DirFS(filepath.Join("..", folder))))
	}
	for _, file := range []string{"Makefile", "go.mod", "go.sum"} {
		must(os.WriteFile(filepath.Join(copied, file), mustRead(filepath.Join("..", file)), 0o644))
	}
	if !bytes.Equal(built(t, ".."), built(t, copied)) {
		t.Error("the function built in another folder differs")
	}
}

// built is the smallest task's binary, built by the Makefile from the sources in dir, for this machine's processor: its
// packages are compiled already.
func built(t *testing.T, dir string) []byte {
	t.Helper()
	out := t.TempDir()
	command := exec.Command("make", "-C", dir, "function-notify", "FUNCTIONS="+out, "GOARCH="+runtime.GOARCH)
	command.Env = append(environment(), "GOFLAGS=") // the Makefile's own flags alone
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return mustRead(filepath.Join(out, "notify", "bootstrap"))
}

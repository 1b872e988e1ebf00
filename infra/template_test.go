package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"snapshot-status-checker/internal/function/settings"
	"snapshot-status-checker/statemachine"
)

// testdata has every property of the default stack, and what the settings of the other stacks change in it. The other
// tests say which of it are rules.
func TestTemplatesAreTheGoldenFiles(t *testing.T) {
	t.Parallel()
	plain := byDefault().lines()
	for name, made := range stacks() {
		got := made.lines()
		if name != "default" {
			got = changes(plain, got)
		}
		file := filepath.Join("testdata", name+".golden")
		if *update {
			must(os.WriteFile(file, []byte(strings.Join(got, "\n")+"\n"), 0o644))
		}
		t.Run(name, func(t *testing.T) {
			compare(t, strings.Split(strings.TrimSuffix(string(mustRead(file)), "\n"), "\n"), got)
		})
	}
}

// changes lists the lines that one stack has (-) and the other one has (+).
func changes(before, after []string) (changed []string) {
	for _, line := range before {
		if !slices.Contains(after, line) {
			changed = append(changed, "- "+line)
		}
	}
	for _, line := range after {
		if !slices.Contains(before, line) {
			changed = append(changed, "+ "+line)
		}
	}
	slices.SortStableFunc(changed, func(a, b string) int {
		property := func(line string) string { name, _, _ := strings.Cut(line[2:], " = "); return name }
		return strings.Compare(property(a), property(b))
	})
	return changed
}

// elsewhere are properties that other tests compare with their source.
var elsewhere = []string{"DefinitionString", "FilterCriteria", "Code", "DashboardBody", "QueryString"}

// lines describes the stack, one property a line, sorted. <stack> is its name.
func (made template) lines() []string {
	var all []string
	add := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	for id, r := range made.Resources {
		if r.Type == "AWS::IAM::Policy" || r.Type == "AWS::CloudWatch::Alarm" {
			continue
		}
		id = short(id)
		add("%s is a %s", id, strings.TrimSpace(strings.Join([]string{r.Type, r.DeletionPolicy, short(r.Condition)},
			" ")))
		for _, other := range r.DependsOn {
			add("%s is made after %s", id, short(other))
		}
		properties(id, r.Properties, add)
	}
	all = append(all, made.rights()...)
	for _, alarm := range made.alarms() {
		add("Alarm %s", alarm)
	}
	for name, output := range made.Outputs {
		add("Output %s = %v", name, show(output.Value))
	}
	for name, value := range made.tags {
		add("Tag %s = %s", name, *value)
	}
	for _, warning := range made.warnings {
		add("Warning: %s", warning)
	}
	s := made.settings
	names := strings.NewReplacer(s.StackName(), "<stack>",
		"application:"+s.Application+" environment:"+s.Environment, "<stack>")
	for i := range all {
		all[i] = names.Replace(all[i])
	}
	slices.Sort(all)
	return all
}

// properties adds a line for each value below a property. A list is one value.
func properties(path string, value any, add func(string, ...any)) {
	switch v := value.(type) {
	case map[string]any:
		for name := range v {
			if !slices.Contains(elsewhere, name) {
				properties(path+"."+name, v[name], add)
			}
		}
	case []any:
		text, err := json.Marshal(v)
		must(err)
		add("%s = %s", path, text)
	case float64:
		add("%s = %s", path, strconv.FormatFloat(v, 'f', -1, 64))
	default:
		add("%s = %v", path, v)
	}
}

// Two environments fit into one account and region: each name that the template gives has the stack's name in it, and
// no value is exported, whose name would have to be unique too. CloudFormation names the rest.
func TestEnvironmentsDoNotClash(t *testing.T) {
	t.Parallel()
	// These need not be unique: a policy belongs to its role, an alarm refers to a metric, and people read the last.
	shared := []string{"PolicyName", "MetricName", "DisplayName"}
	named := 0
	for _, made := range []template{byDefault(), express()} {
		for id, r := range made.Resources {
			for property, value := range r.Properties {
				text, ok := value.(string)
				if !ok || strings.Contains(text, "${") || !strings.HasSuffix(property, "Name") ||
					slices.Contains(shared, property) {
					continue
				}
				named++
				if !strings.Contains(text, made.settings.StackName()) || len(text) > 255 {
					t.Errorf("%s has the %s %q", id, property, text)
				}
			}
		}
		if strings.Contains(made.json, `"Export":`) {
			t.Error("a value is exported")
		}
	}
	if named < 100 { // alarms, functions, log groups, queries, machine, schedule, dashboard
		t.Errorf("only %d names were found", named)
	}
}

// The deployed definition and filters are the tested ones, and no placeholder reaches Step Functions unchanged.
func TestDefinitionAndFiltersAreThoseOfStatemachine(t *testing.T) {
	t.Parallel()
	for _, made := range []template{byDefault(), express()} {
		machine := made.ofType("AWS::StepFunctions::StateMachine")["WorkflowStateMachine"]
		compare(t, any(statemachine.Definition), machine["DefinitionString"])
		for _, found := range regexp.MustCompile(`\$\{(\w+)\}`).FindAllStringSubmatch(statemachine.Definition, -1) {
			if machine["DefinitionSubstitutions"].(map[string]any)[found[1]] == nil {
				t.Errorf("%s has no substitution", found[0])
			}
		}
		var want []any
		for _, pattern := range statemachine.StreamFilters(made.settings.ExemptStatuses) {
			want = append(want, map[string]any{"Pattern": pattern})
		}
		source := made.ofType("AWS::Pipes::Pipe")["StatusChangedPipe"]["SourceParameters"].(map[string]any)
		compare(t, any(map[string]any{"Filters": want}), source["FilterCriteria"])
	}
}

// Each function gets the variables that its program reads, and no others.
func TestEnvironmentIsWhatTheFunctionsRead(t *testing.T) {
	t.Parallel()
	for id, reads := range map[string]reflect.Type{
		"FunctionsIncrementFunction":       reflect.TypeFor[settings.Increment](),
		"FunctionsCheckCollectionFunction": reflect.TypeFor[settings.CheckCollection](),
		"FunctionsCheckAllFunction":        reflect.TypeFor[settings.CheckAll](),
		"FunctionsNotifyFunction":          reflect.TypeFor[settings.Notify](),
		"SweepFunction":                    reflect.TypeFor[settings.Sweep](),
	} {
		t.Run(id, func(t *testing.T) {
			var want []string
			for _, field := range reflect.VisibleFields(reads) {
				if name, _, _ := strings.Cut(field.Tag.Get("env"), ","); name != "" {
					want = append(want, name)
				}
			}
			slices.Sort(want)
			environment := byDefault().ofType("AWS::Lambda::Function")[id]["Environment"].(map[string]any)
			compare(t, want, slices.Sorted(maps.Keys(environment["Variables"].(map[string]any))))
		})
	}
}

// The same sources give the same template in any folder at any time, so that `cdk diff` shows real changes only; those
// of one function change nothing but its code.
func TestTemplateIsRepeatable(t *testing.T) {
	t.Parallel()
	other := filepath.Join(t.TempDir(), "another", "folder")
	makeFunctions(other)
	must(os.WriteFile(filepath.Join(other, "notify", "bootstrap"), []byte("changed"), 0o755))
	here, there := byDefault(), synthesize(other, nil)
	code := func(made template) string {
		function := made.ofType("AWS::Lambda::Function")["FunctionsNotifyFunction"]
		return function["Code"].(map[string]any)["S3Key"].(string)
	}
	if code(here) == code(there) {
		t.Error("the template of a changed function is the same")
	}
	if strings.ReplaceAll(there.json, code(there), code(here)) != here.json {
		t.Error("the template made again differs")
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

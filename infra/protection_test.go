package main

import (
	"encoding/json"
	"path/filepath"
	"testing"
)

func TestReservedConcurrency(t *testing.T) {
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

// The stack has two tags and those of the context, which CloudFormation hands on to all that it makes: a bill or an
// inventory names the stack by them. A key of ours in another case would be a second one, which IAM refuses.
func TestTags(t *testing.T) {
	t.Parallel()
	for tags, want := range map[string]map[string]string{
		"team=data, cost centre=a/42": {"application": "checker", "environment": "prod", "team": "data",
			"cost centre": "a/42"},
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

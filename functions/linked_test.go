// Package functions_test tests what all functions have in common.
package functions_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const sdk = "github.com/aws/aws-sdk-go-v2/"

// common are the modules that every function links. They are loaded and initialised at every cold start, so a new one
// must be worth it; docs/functions.md has the cost of some that are not here.
var common = []string{
	"github.com/aws/aws-lambda-go", "github.com/aws/aws-sdk-go-v2", "github.com/aws/smithy-go",
	"github.com/caarlos0/env/v11", "github.com/hashicorp/golang-lru/v2",
	sdk + "credentials", sdk + "internal/configsources", sdk + "internal/endpoints/v2",
	sdk + "service/dynamodb", sdk + "service/internal/accept-encoding", sdk + "service/internal/endpoint-discovery",
}

// forbidden are packages of these modules and of Go that are large or slow to initialise, and that are only linked by
// mistake.
var forbidden = []string{
	sdk + "credentials/ec2rolecreds", sdk + "credentials/processcreds",
	sdk + "credentials/ssocreds", sdk + "credentials/stscreds",
	"expvar", "html/template", "net/http/pprof", "testing", "text/template",
}

// A function links only the clients of the services that it calls.
func TestLinked(t *testing.T) {
	t.Parallel()
	for task, services := range map[string][]string{
		"increment":        {"sqs"},
		"check-collection": nil,
		"check-all":        nil,
		"notify":           {"sns", "sqs"},
		"sweep":            {"pipes", "sfn", "sns"},
	} {
		t.Run(task, func(t *testing.T) {
			t.Parallel()
			want := slices.Clone(common)
			for _, service := range services {
				want = append(want, sdk+"service/"+service)
			}
			slices.Sort(want)
			if diff := cmp.Diff(want, slices.Compact(linked(t, task,
				"{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}"))); diff != "" {
				t.Error("modules:", diff)
			}
			for _, path := range linked(t, task, "{{.ImportPath}}") {
				if slices.Contains(forbidden, path) {
					t.Errorf("it links %s; go mod why -m or go list -deps shows why", path)
				}
			}
		})
	}
}

// linked lists the packages of the function's binary, sorted, in the template's format.
func linked(t *testing.T, task, template string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags", "lambda.norpc", "-f", template, "./"+
		task+"/bootstrap").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	all := strings.Fields(string(out))
	slices.Sort(all)
	return all
}

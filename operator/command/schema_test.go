package command

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	reflected "github.com/invopop/jsonschema"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"snapshot-status-checker/operator/live"
	"snapshot-status-checker/operator/report"
)

// answers is what each command answers with --output json. A command that is not here has no answer for scripts.
var answers = map[string]any{
	"runs":      []report.Summary{},
	"show":      report.Run{},
	"why":       explanation{},
	"files":     fileList{},
	"pending":   pendingList{},
	"reconcile": reconciliation{},
	"abandon":   abandonedRun{},
	"verify":    verification{},

	"verify-history": checkedHistory{},

	"watch": live.Line{}, // for each line

	"verify-manifest": manifestLine{}, // for each line

	"rejected-list":   rejectedList{},
	"rejected-show":   []rejectedText{},
	"rejected-replay": handled{},
	"rejected-delete": handled{},

	"send":     sending{},
	"simulate": simulation{},
	"doctor":   examined{},
}

const (
	schemaFile = "../../docs/snapshot-status.schema.json"
	schemaID   = "https://json-schema.org/draft/2020-12/schema"
)

// makeSchema makes one schema with a definition for each command, described by the types' comments.
var makeSchema = sync.OnceValues(func() (string, error) {
	reflector := reflected.Reflector{Anonymous: true, ExpandedStruct: false}
	for _, folder := range []string{"../../operator", "../../test/scenario"} {
		if err := reflector.AddGoComments("snapshot-status-checker/operator/command", folder); err != nil {
			return "", err
		}
	}
	definitions := map[string]any{}
	commands := map[string]any{}
	for _, command := range slices.Sorted(maps.Keys(answers)) {
		made := reflector.Reflect(answers[command])
		for name, definition := range made.Definitions {
			definitions[name] = definition
		}
		made.Definitions, made.Version = nil, ""
		commands[command] = made
	}
	raw, err := json.MarshalIndent(map[string]any{
		"$schema":     schemaID,
		"title":       "What the commands of snapshot-status answer with --output json",
		"description": "The answer of a command matches #/commands/<command>. Times are UTC (RFC 3339).",
		"commands":    commands, "$defs": definitions,
	}, "", "  ")
	return string(raw) + "\n", err
})

// The schema in the documents is that of the commands' types (written by go test -update).
func TestSchemaIsDocumented(t *testing.T) {
	t.Parallel()
	schema, err := makeSchema()
	if err == nil && *update {
		err = os.WriteFile(schemaFile, []byte(schema), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	documented, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(documented), schema); diff != "" {
		t.Errorf("%s (-documented +types; go test ./operator/command -update writes it):\n%s", schemaFile, diff)
	}
}

// The schema refuses what no command says.
func TestSchemaRefuses(t *testing.T) {
	t.Parallel()
	for name, document := range map[string]string{
		"unknown field":  `{"run": "r", "collections": [], "executions": 0, "started": false, "more": 1}`,
		"missing field":  `{"run": "r", "collections": [], "executions": 0}`,
		"another type":   `{"run": "r", "collections": {}, "executions": 0, "started": false}`,
		"not an integer": `{"run": "r", "collections": [], "executions": 0.5, "started": false}`,
	} {
		if err := validate(t, "reconcile", document); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// matchesSchema holds a command's answer against the documented schema.
func matchesSchema(t *testing.T, command, document string) {
	t.Helper()
	if err := validate(t, command, document); err != nil {
		t.Errorf("%s: %v\n%s", command, err, document)
	}
}

func validate(t *testing.T, command, document string) error {
	t.Helper()
	schema, err := makeSchema()
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jsonschema.UnmarshalJSON(strings.NewReader(schema))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("snapshot-status.json", parsed); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("snapshot-status.json#/commands/" + command)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	return compiled.Validate(value)
}

package command

import (
	"encoding/json"
	"io"
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

	"verify-history":  checkedHistory{},
	"watch":           live.Line{},    // for each line
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
	definitions, commands := reflected.Definitions{}, map[string]any{}
	for _, command := range slices.Sorted(maps.Keys(answers)) {
		made := reflector.Reflect(answers[command])
		maps.Copy(definitions, made.Definitions)
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

// Each command has an answer for scripts, but serve and completion.
func TestSchemaHasEachCommand(t *testing.T) {
	t.Parallel()
	parser := must(newParser(new(commands), io.Discard, io.Discard))
	for _, leaf := range parser.Model.Leaves(false) {
		name := strings.ReplaceAll(leaf.Path(), " ", "-")
		if answers[name] == nil && !slices.Contains([]string{"serve", "completion", "complete-words"}, name) {
			t.Errorf("no answer of %s", leaf.Path())
		}
	}
}

func TestSchemaRefuses(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"unknown field":  `{"run": "r", "collections": [], "executions": 0, "started": false, "more": 1}`,
		"missing field":  `{"run": "r", "collections": [], "executions": 0}`,
		"another type":   `{"run": "r", "collections": {}, "executions": 0, "started": false}`,
		"not an integer": `{"run": "r", "collections": [], "executions": 0.5, "started": false}`,
	} {
		if documents, err := validate("reconcile r", answer); documents != 0 || err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// matchesSchema holds the answer of a command line against the documented schema.
func matchesSchema(t *testing.T, line, answer string, code int) {
	t.Helper()
	if documents, err := validate(line, answer); err != nil || documents == 0 && code == exitOK {
		t.Errorf("%s: %d documents, %v\n%s", line, documents, err, answer)
	}
}

// validate returns how many documents of an answer the schema accepts. An answer has a document a line, or one.
func validate(line, answer string) (accepted int, err error) {
	schemas, err := compiled()
	if err != nil {
		return 0, err
	}
	for documents := json.NewDecoder(strings.NewReader(answer)); documents.More(); accepted++ {
		var document any
		documents.UseNumber()
		if err = documents.Decode(&document); err == nil {
			err = schemas[answersOf(line)].Validate(document)
		}
		if err != nil {
			return accepted, err
		}
	}
	return accepted, nil
}

// answersOf is the key of a command line's answer in answers.
func answersOf(line string) string {
	words := strings.Fields(line)
	for strings.HasPrefix(words[0], "--") {
		words = words[2:]
	}
	for _, flag := range []string{"manifest", "history"} {
		if slices.Contains(words, "--"+flag) {
			return words[0] + "-" + flag
		}
	}
	if words[0] == "rejected" {
		return words[0] + "-" + words[1]
	}
	return words[0]
}

// compiled compiles the schema of each command's answer.
var compiled = sync.OnceValues(func() (map[string]*jsonschema.Schema, error) {
	schema, err := makeSchema()
	if err != nil {
		return nil, err
	}
	parsed, err := jsonschema.UnmarshalJSON(strings.NewReader(schema))
	if err != nil {
		return nil, err
	}
	compiler, schemas := jsonschema.NewCompiler(), map[string]*jsonschema.Schema{}
	err = compiler.AddResource("snapshot-status.json", parsed)
	for command := range answers {
		if err == nil {
			schemas[command], err = compiler.Compile("snapshot-status.json#/commands/" + command)
		}
	}
	return schemas, err
})

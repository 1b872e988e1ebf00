package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// functionsDir holds a dummy bootstrap for every task: no test of a template builds the functions.
var functionsDir string

func TestMain(m *testing.M) {
	flag.Parse()
	dir, err := os.MkdirTemp("", "infra")
	must(err)
	functionsDir = dir
	makeFunctions(dir)
	code := m.Run()
	jsii.Close()
	os.RemoveAll(dir)
	os.Exit(code)
}

func makeFunctions(dir string) {
	for _, task := range tasks {
		must(os.MkdirAll(filepath.Join(dir, task), 0o755))
		must(os.WriteFile(filepath.Join(dir, task, "bootstrap"), []byte(task), 0o755))
	}
}

const (
	testAlarmTopic = "arn:aws:sns:eu-west-1:123456789012:alarms"
	testKey        = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
	otherKey       = "arn:aws:kms:eu-west-1:123456789012:key/mrk-11111111222233334444555555555555"
	testFileQueue  = "arn:aws:sqs:eu-west-1:123456789012:files"
	testStateQueue = "arn:aws:sqs:eu-west-1:123456789012:export-state.fifo"
	testTopic      = "arn:aws:sns:eu-west-1:123456789012:monitoring"
	testStream     = "arn:aws:dynamodb:eu-west-1:123456789012:table/UCExportToCrownStatus/stream/2026-11-23T00:00:00"
)

// The stacks that the tests share, each made once: a synthesis costs seconds.
var (
	// byDefault is the stack without any setting.
	byDefault = sync.OnceValue(func() template { return synthesize(functionsDir, nil) })
	// express has every setting that changes what is made, and adopts nothing.
	express = sync.OnceValue(func() template {
		return synthesize(functionsDir, map[string]any{
			"environment": "prod", "application": "checker", "logLevel": "debug", "architecture": "x86_64",
			"workflowType": "EXPRESS", "batchSize": "20", "batchWindowSeconds": "5",
			"sweepEveryMinutes": "60", "stalledAfterMinutes": "90", "lateAfterMinutes": " incremental=120,FULL = 480,",
			"countBy":        "file",
			"exemptStatuses": "Table_Unavailable, Blocked_Topic", "alarmTopicArn": testAlarmTopic, "kmsKeyArn": testKey,
			"reservedConcurrency": "increment=20,sweep=1", "tags": "cost centre=a/42, APPLICATION=x",
		})
	})
	// adopting uses existing resources wherever it can. It has a key in its context that nothing reads.
	adopting = sync.OnceValue(func() template {
		return synthesize(functionsDir, map[string]any{
			"exportStatusTableName": "UCExportToCrownStatus", "exportStatusTableStreamArn": testStream,
			"fileReceivedQueueArn": testFileQueue, "exportStateQueueArn": testStateQueue,
			"monitoringTopicArn": testTopic, "existingKmsKeyArns": otherKey, "team": "data",
		})
	})
	// withoutStream uses an existing table that has no stream.
	withoutStream = sync.OnceValue(func() template {
		return synthesize(functionsDir, map[string]any{"exportStatusTableName": "UCExportToCrownStatus"})
	})
)

// stacks are all of them, by the names of their golden files.
func stacks() map[string]template {
	return map[string]template{"default": byDefault(), "express": express(), "adopting": adopting(),
		"without-stream": withoutStream()}
}

// template is a synthesized stack as CloudFormation reads it, with readable intrinsic functions (see show).
type template struct {
	Resources map[string]resource // by logical id
	Outputs   map[string]struct{ Value any }
	json      string // as synthesized
	settings  Settings
	tags      map[string]*string
	warnings  []string
}

type resource struct {
	Type           string
	Properties     map[string]any
	DeletionPolicy string
	Condition      string
	DependsOn      []string
}

var synthesizing sync.Mutex // jsii has one kernel

// synthesize makes the stack of the context and the feature flags of cdk.json as run does, with built functions.
func synthesize(functions string, context map[string]any) template {
	synthesizing.Lock()
	defer synthesizing.Unlock()
	var config struct{ Context map[string]any }
	must(json.Unmarshal(mustRead("../cdk.json"), &config))
	for key, value := range context {
		config.Context[key] = value
	}
	app := awscdk.NewApp(&awscdk.AppProps{Context: &config.Context,
		Outdir: jsii.String(filepath.Join(functions, "cdk.out"))})
	settings, err := ReadSettings(contextOf(app))
	must(err)
	stack := NewStack(app, settings, functions)
	text, err := json.Marshal(assertions.Template_FromStack(stack, nil).ToJSON())
	must(err)
	made := template{json: string(text), settings: settings, tags: *stack.Tags().TagValues()}
	must(json.Unmarshal(text, &made))
	for id, r := range made.Resources {
		r.Properties, _ = show(r.Properties).(map[string]any)
		made.Resources[id] = r
	}
	for _, entry := range *stack.Node().Metadata() {
		if *entry.Type == "aws:cdk:warning" {
			made.warnings = append(made.warnings, fmt.Sprint(entry.Data))
		}
	}
	return made
}

// ofType returns the properties of the resources of a type, by their logical id without its hash.
func (made template) ofType(kind string) map[string]map[string]any {
	found := map[string]map[string]any{}
	for id, r := range made.Resources {
		if r.Type == kind {
			found[short(id)] = r.Properties
		}
	}
	return found
}

var logicalIDHash = regexp.MustCompile(`[0-9A-F]{8}$`)

func short(id string) string { return logicalIDHash.ReplaceAllString(id, "") }

// show makes the intrinsic functions in a value readable: ${Queue}, ${Queue.Arn}, and joined text as one text.
func show(value any) any {
	switch v := value.(type) {
	case []any:
		shown := make([]any, len(v))
		for i := range v {
			shown[i] = show(v[i])
		}
		return shown
	case map[string]any:
		if ref, ok := v["Ref"].(string); ok {
			return "${" + short(ref) + "}"
		}
		if att, ok := v["Fn::GetAtt"].([]any); ok {
			return fmt.Sprintf("${%s.%s}", short(att[0].(string)), att[1])
		}
		if join, ok := v["Fn::Join"].([]any); ok {
			var parts []string
			for _, part := range join[1].([]any) {
				parts = append(parts, fmt.Sprint(show(part)))
			}
			return strings.Join(parts, join[0].(string))
		}
		shown := map[string]any{}
		for key := range v {
			shown[key] = show(v[key])
		}
		return shown
	default:
		return v
	}
}

// list reads a value that a policy may hold as one string or a list of strings.
func list(value any) []string {
	items, ok := value.([]any)
	if !ok {
		items = []any{value}
	}
	texts := make([]string, len(items))
	for i := range items {
		texts[i] = fmt.Sprint(items[i])
	}
	return texts
}

// statements are those of a policy document.
func statements(document any) (all []map[string]any) {
	for _, statement := range document.(map[string]any)["Statement"].([]any) {
		all = append(all, statement.(map[string]any))
	}
	return all
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func mustRead(path string) []byte {
	text, err := os.ReadFile(path)
	must(err)
	return text
}

func compare(t *testing.T, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("wanted (-), got (+):\n%s", diff)
	}
}

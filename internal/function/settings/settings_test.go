package settings_test

import (
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/function/settings"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
)

var variables = []string{
	"ENVIRONMENT", "APPLICATION", "LOG_LEVEL", "DYNAMO_DB_EXPORT_STATUS_TABLE_NAME", "LEDGER_TABLE_NAME",
	"EXEMPT_STATUSES", "COUNT_BY", "REJECTED_MESSAGES_QUEUE_URL", "EXPORT_STATE_SQS_QUEUE_URL",
	"MONITORING_SNS_TOPIC_ARN",
	"STALLED_AFTER_MINUTES", "STATE_MACHINE_ARN", "LEASE_SECONDS", "MAX_COLLECTIONS", "PIPE_NAMES",
	"LATE_AFTER_MINUTES",
}

// required are the variables without a default, of all functions.
var required = []string{"LEDGER_TABLE_NAME=ledger", "REJECTED_MESSAGES_QUEUE_URL=queue",
	"EXPORT_STATE_SQS_QUEUE_URL=state", "MONITORING_SNS_TOPIC_ARN=topic", "STATE_MACHINE_ARN=machine",
	"PIPE_NAMES=messages,changes"}

// environment sets exactly these variables (NAME=value).
func environment(t *testing.T, set ...string) {
	t.Helper()
	for _, name := range variables {
		t.Setenv(name, "") // puts the old value back after the test
		if err := os.Unsetenv(name); err != nil {
			t.Fatal(err)
		}
	}
	for _, assignment := range set {
		name, value, _ := strings.Cut(assignment, "=")
		t.Setenv(name, value)
	}
}

func read[T any](t *testing.T) T {
	t.Helper()
	s, err := settings.Read[T]()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// compareAll compares the settings of each function with those in the parts that functions share, and the sweep's own.
func compareAll(
	t *testing.T, c settings.Common, tables settings.Tables, o settings.Outbox, n settings.Counting, limit int,
	sweep settings.Sweep,
) {
	t.Helper()
	sweep.Common, sweep.Tables, sweep.Outbox, sweep.Counting = c, tables, o, n
	sweep.StateMachineARN, sweep.MonitoringTopicARN = "machine", "topic"
	sweep.PipeNames = []string{"messages", "changes"}
	want := []any{
		settings.Increment{Common: c, Tables: tables, Counting: n, RejectedMessagesQueueURL: "queue",
			MaxCollections: limit},
		settings.CheckCollection{Common: c, Tables: tables, Outbox: o},
		settings.CheckAll{Common: c, Tables: tables, Outbox: o},
		settings.Notify{Common: c, Ledger: tables.Ledger, ExportStateQueueURL: "state", MonitoringTopicARN: "topic"},
		sweep,
	}
	got := []any{read[settings.Increment](t), read[settings.CheckCollection](t), read[settings.CheckAll](t),
		read[settings.Notify](t), read[settings.Sweep](t)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// CloudFormation sets a variable without a value to an empty text.
func TestDefaults(t *testing.T) {
	for _, optional := range [][]string{nil, {"ENVIRONMENT=", "APPLICATION=", "LOG_LEVEL=",
		"DYNAMO_DB_EXPORT_STATUS_TABLE_NAME=", "EXEMPT_STATUSES= ", "COUNT_BY=", "STALLED_AFTER_MINUTES=",
		"LEASE_SECONDS=", "MAX_COLLECTIONS=", "LATE_AFTER_MINUTES= "}} {
		environment(t, append(required, optional...)...)
		compareAll(t, settings.Common{Environment: "dev", Application: "snapshot-sender-status-checker",
			LogLevel: settings.Level(slog.LevelInfo)},
			settings.Tables{Ledger: settings.Ledger{LedgerTable: "ledger"}, StatusTable: "UCExportToCrownStatus"},
			settings.Outbox{LeaseSeconds: int(store.DefaultLease.Seconds())},
			settings.Counting{CountBy: snapshot.ByMessage}, 0, settings.Sweep{StalledAfterMinutes: 60})
	}
}

func TestAllSet(t *testing.T) {
	environment(t, append(required, "ENVIRONMENT=prod", "APPLICATION=app", "LOG_LEVEL=DEBUG",
		"DYNAMO_DB_EXPORT_STATUS_TABLE_NAME=statuses", "EXEMPT_STATUSES=Blocked_Topic,, Table_Unavailable ,",
		"LEASE_SECONDS=300", "MAX_COLLECTIONS=280", "COUNT_BY=file", "STALLED_AFTER_MINUTES=90",
		"LATE_AFTER_MINUTES=full=480,incremental=120")...)
	common := settings.Common{Environment: "prod", Application: "app", LogLevel: settings.Level(slog.LevelDebug)}
	compareAll(t, common, settings.Tables{Ledger: settings.Ledger{LedgerTable: "ledger"}, StatusTable: "statuses",
		ExemptStatuses: settings.Statuses{"Blocked_Topic", "Table_Unavailable"}},
		settings.Outbox{LeaseSeconds: 300}, settings.Counting{CountBy: snapshot.ByFile}, 280,
		settings.Sweep{StalledAfterMinutes: 90,
			LateAfter: snapshot.LateAfter{"full": 8 * time.Hour, "incremental": 2 * time.Hour}})
	checkAll := read[settings.CheckAll](t)
	if about := settings.Settings(checkAll).About(); about != common || checkAll.Lease() != 5*time.Minute {
		t.Errorf("common settings %+v, lease %v", about, checkAll.Lease())
	}
}

func TestErrorsNameTheVariable(t *testing.T) {
	readers := map[string]func() error{"increment": readError[settings.Increment],
		"check-collection": readError[settings.CheckCollection], "check-all": readError[settings.CheckAll],
		"notify": readError[settings.Notify], "sweep": readError[settings.Sweep]}
	for _, test := range []struct {
		task, set string // NAME=value, besides those that are required; "" for nothing at all
		want      []string
	}{
		{"increment", "", []string{"LEDGER_TABLE_NAME", "REJECTED_MESSAGES_QUEUE_URL"}},
		{"check-collection", "", []string{"LEDGER_TABLE_NAME"}},
		{"check-all", "", []string{"LEDGER_TABLE_NAME"}},
		{"notify", "", []string{"LEDGER_TABLE_NAME", "EXPORT_STATE_SQS_QUEUE_URL", "MONITORING_SNS_TOPIC_ARN"}},
		{"sweep", "", []string{"LEDGER_TABLE_NAME", "STATE_MACHINE_ARN", "MONITORING_SNS_TOPIC_ARN", "PIPE_NAMES"}},
		{"increment", "REJECTED_MESSAGES_QUEUE_URL=", []string{"REJECTED_MESSAGES_QUEUE_URL"}},
		{"notify", "MONITORING_SNS_TOPIC_ARN=", []string{"MONITORING_SNS_TOPIC_ARN"}},
		{"notify", "EXPORT_STATE_SQS_QUEUE_URL=", []string{"EXPORT_STATE_SQS_QUEUE_URL"}},
		{"sweep", "LEDGER_TABLE_NAME=", []string{"LEDGER_TABLE_NAME"}},
		{"sweep", "STATE_MACHINE_ARN=", []string{"STATE_MACHINE_ARN"}},
		{"sweep", "PIPE_NAMES=", []string{"PIPE_NAMES"}},
		{"sweep", "STALLED_AFTER_MINUTES=soon", []string{"StalledAfterMinutes", "soon"}},
		{"sweep", "LATE_AFTER_MINUTES=full=soon", []string{"LateAfter", "full=soon", "full=480"}},
		{"check-all", "LEASE_SECONDS=10m", []string{"LeaseSeconds", "10m"}},
		{"increment", "MAX_COLLECTIONS=many", []string{"MaxCollections", "many"}},
		{"increment", "COUNT_BY=name", []string{"CountBy", "name", "message", "file"}},
		{"check-all", "LOG_LEVEL=loud", []string{"LogLevel", "loud"}},
	} {
		t.Run(test.task+test.set, func(t *testing.T) {
			if environment(t); test.set != "" {
				environment(t, append(required, test.set)...)
			}
			err := readers[test.task]()
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not name %s", err, want)
				}
			}
		})
	}
}

func readError[T any]() error {
	_, err := settings.Read[T]()
	return err
}

func TestLogLevels(t *testing.T) {
	for text, want := range map[string]slog.Level{
		"debug": slog.LevelDebug, " info ": slog.LevelInfo, "WARN": slog.LevelWarn, "warning": slog.LevelWarn,
		"ERROR": slog.LevelError, "CRITICAL": slog.LevelError,
	} {
		environment(t, "LEDGER_TABLE_NAME=l", "LOG_LEVEL="+text)
		if got := slog.Level(read[settings.CheckAll](t).LogLevel); got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
}

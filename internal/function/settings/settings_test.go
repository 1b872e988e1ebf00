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
	"EXEMPT_STATUSES", "COUNT_BY", "REJECTED_MESSAGES_QUEUE_URL", "EXPORT_STATE_SQS_QUEUE_URL", "MONITORING_SNS_TOPIC_ARN",
	"STALLED_AFTER_MINUTES", "STATE_MACHINE_ARN", "LEASE_SECONDS", "MAX_COLLECTIONS", "PIPE_NAMES",
	"LATE_AFTER_MINUTES",
}

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

var (
	ledger   = settings.Ledger{LedgerTable: "ledger"}
	tables   = settings.Tables{Ledger: ledger, StatusTable: "UCExportToCrownStatus"}
	outbox   = settings.Outbox{LeaseSeconds: 600}
	counting = settings.Counting{CountBy: snapshot.ByMessage}
	common   = settings.Common{Environment: "dev", Application: "snapshot-sender-status-checker",
		LogLevel: settings.Level(slog.LevelInfo)}
	another = settings.Common{Environment: "prod", Application: "app", LogLevel: settings.Level(slog.LevelDebug)}
)

func TestDefaults(t *testing.T) {
	environment(t, "LEDGER_TABLE_NAME=ledger", "REJECTED_MESSAGES_QUEUE_URL=queue", "EXPORT_STATE_SQS_QUEUE_URL=state",
		"MONITORING_SNS_TOPIC_ARN=topic", "STATE_MACHINE_ARN=machine", "PIPE_NAMES=messages,changes")
	want := []any{
		settings.Increment{Common: common, Tables: tables, Counting: counting, RejectedMessagesQueueURL: "queue"},
		settings.CheckCollection{Common: common, Tables: tables, Outbox: outbox},
		settings.CheckAll{Common: common, Tables: tables, Outbox: outbox},
		settings.Notify{Common: common, Ledger: ledger, ExportStateQueueURL: "state", MonitoringTopicARN: "topic"},
		settings.Sweep{Common: common, Tables: tables, Outbox: outbox, StalledAfterMinutes: 60, Counting: counting,
			StateMachineARN: "machine", MonitoringTopicARN: "topic",
			PipeNames: []string{"messages", "changes"}},
	}
	got := []any{read[settings.Increment](t), read[settings.CheckCollection](t), read[settings.CheckAll](t),
		read[settings.Notify](t), read[settings.Sweep](t)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAllSet(t *testing.T) {
	environment(t, "ENVIRONMENT=prod", "APPLICATION=app", "LOG_LEVEL=DEBUG",
		"DYNAMO_DB_EXPORT_STATUS_TABLE_NAME=statuses",
		"LEDGER_TABLE_NAME=ledger", "EXEMPT_STATUSES=Blocked_Topic,Table_Unavailable", "LEASE_SECONDS=300",
		"MAX_COLLECTIONS=280", "REJECTED_MESSAGES_QUEUE_URL=queue", "COUNT_BY=file")
	all := settings.Tables{Ledger: ledger, StatusTable: "statuses", ExemptStatuses: settings.Statuses{"Blocked_Topic",
		"Table_Unavailable"}}
	want := settings.CheckAll{Common: another, Tables: all, Outbox: settings.Outbox{LeaseSeconds: 300}}
	got := read[settings.CheckAll](t)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(another, settings.Settings(got).About()); diff != "" {
		t.Error("what is common:", diff)
	}
	if got.Lease() != 5*time.Minute {
		t.Errorf("lease %v", got.Lease())
	}
	increment := settings.Increment{Common: another, Tables: all, RejectedMessagesQueueURL: "queue",
		MaxCollections: 280, Counting: settings.Counting{CountBy: snapshot.ByFile}}
	if diff := cmp.Diff(increment, read[settings.Increment](t)); diff != "" {
		t.Error(diff)
	}
}

// The default is the store's.
func TestLease(t *testing.T) {
	environment(t, "LEDGER_TABLE_NAME=ledger")
	if got := read[settings.CheckCollection](t).Lease(); got != store.DefaultLease {
		t.Errorf("lease %v, want %v", got, store.DefaultLease)
	}
}

// CloudFormation sets a variable without a value to an empty text.
func TestEmptyVariablesHaveTheirDefaults(t *testing.T) {
	environment(t, "ENVIRONMENT=", "APPLICATION=", "LOG_LEVEL=", "DYNAMO_DB_EXPORT_STATUS_TABLE_NAME=",
		"EXEMPT_STATUSES=", "LEASE_SECONDS=", "LEDGER_TABLE_NAME=ledger")
	if diff := cmp.Diff(settings.CheckAll{Common: common, Tables: tables, Outbox: outbox},
		read[settings.CheckAll](t)); diff != "" {
		t.Error(diff)
	}
}

func TestErrorsNameTheVariable(t *testing.T) {
	for _, test := range []struct {
		name string
		set  []string
		read func() error
		want []string
	}{
		{"increment", nil, readError[settings.Increment], []string{"LEDGER_TABLE_NAME", "REJECTED_MESSAGES_QUEUE_URL"}},
		{"check-collection", nil, readError[settings.CheckCollection], []string{"LEDGER_TABLE_NAME"}},
		{"check-all", nil, readError[settings.CheckAll], []string{"LEDGER_TABLE_NAME"}},
		{"notify", nil, readError[settings.Notify], []string{"LEDGER_TABLE_NAME", "EXPORT_STATE_SQS_QUEUE_URL",
			"MONITORING_SNS_TOPIC_ARN"}},
		{"sweep", nil, readError[settings.Sweep], []string{"LEDGER_TABLE_NAME", "STATE_MACHINE_ARN",
			"MONITORING_SNS_TOPIC_ARN", "PIPE_NAMES"}},
		{"required and empty for the sweep", []string{"LEDGER_TABLE_NAME=", "STATE_MACHINE_ARN=",
			"MONITORING_SNS_TOPIC_ARN=", "PIPE_NAMES="}, readError[settings.Sweep],
			[]string{"LEDGER_TABLE_NAME", "STATE_MACHINE_ARN", "MONITORING_SNS_TOPIC_ARN", "PIPE_NAMES"}},
		{"no number", []string{"LEDGER_TABLE_NAME=l", "STATE_MACHINE_ARN=m", "MONITORING_SNS_TOPIC_ARN=t",
			"PIPE_NAMES=p", "STALLED_AFTER_MINUTES=soon"}, readError[settings.Sweep], []string{"StalledAfterMinutes",
			"soon"}},
		{"no deadline", []string{"LEDGER_TABLE_NAME=l", "STATE_MACHINE_ARN=m", "MONITORING_SNS_TOPIC_ARN=t",
			"PIPE_NAMES=p", "LATE_AFTER_MINUTES=full=soon"}, readError[settings.Sweep],
			[]string{"LateAfter", "full=soon", "full=480"}},
		{"no number of seconds", []string{"LEDGER_TABLE_NAME=l", "LEASE_SECONDS=10m"}, readError[settings.CheckAll],
			[]string{"LeaseSeconds", "10m"}},
		{"no number of collections", []string{"LEDGER_TABLE_NAME=l", "REJECTED_MESSAGES_QUEUE_URL=q",
			"MAX_COLLECTIONS=many"}, readError[settings.Increment], []string{"MaxCollections", "many"}},
		{"no way to count", []string{"LEDGER_TABLE_NAME=l", "REJECTED_MESSAGES_QUEUE_URL=q", "COUNT_BY=name"},
			readError[settings.Increment], []string{"CountBy", "name", "message", "file"}},
		{"required and empty", []string{"LEDGER_TABLE_NAME=l", "EXPORT_STATE_SQS_QUEUE_URL=q",
			"MONITORING_SNS_TOPIC_ARN="}, readError[settings.Notify], []string{"MONITORING_SNS_TOPIC_ARN"}},
		{"no log level", []string{"LEDGER_TABLE_NAME=l", "LOG_LEVEL=loud"}, readError[settings.CheckAll],
			[]string{"LogLevel", "loud"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			environment(t, test.set...)
			err := test.read()
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not name %s", err, want)
				}
			}
			for _, name := range variables {
				if optional := strings.HasPrefix(name, "DYNAMO") || name == "ENVIRONMENT" ||
					name == "APPLICATION"; optional && strings.Contains(err.Error(), name) {
					t.Errorf("%q names %s, which is not required", err, name)
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
		"DEBUG": slog.LevelDebug, "debug": slog.LevelDebug, "INFO": slog.LevelInfo, "Info": slog.LevelInfo,
		" info ": slog.LevelInfo,
		"WARN":   slog.LevelWarn, "WARNING": slog.LevelWarn, "warning": slog.LevelWarn, "ERROR": slog.LevelError,
		"CRITICAL": slog.LevelError,
	} {
		t.Run(text, func(t *testing.T) {
			environment(t, "LEDGER_TABLE_NAME=l", "LOG_LEVEL="+text)
			if got := slog.Level(read[settings.CheckAll](t).LogLevel); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestLateAfter(t *testing.T) {
	for text, want := range map[string]snapshot.LateAfter{
		"": nil, " ": nil, "480": {"": 8 * time.Hour},
		"full=480,incremental=120": {"full": 8 * time.Hour, "incremental": 2 * time.Hour},
	} {
		t.Run(text, func(t *testing.T) {
			environment(t, "LEDGER_TABLE_NAME=l", "STATE_MACHINE_ARN=m", "MONITORING_SNS_TOPIC_ARN=t", "PIPE_NAMES=p",
				"LATE_AFTER_MINUTES="+text)
			if diff := cmp.Diff(want, read[settings.Sweep](t).LateAfter); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestExemptStatuses(t *testing.T) {
	for text, want := range map[string]settings.Statuses{
		"":                                 nil,
		" ":                                nil,
		"Blocked_Topic":                    {"Blocked_Topic"},
		"Blocked_Topic,Table_Unavailable":  {"Blocked_Topic", "Table_Unavailable"},
		"Blocked_Topic, Table_Unavailable": {"Blocked_Topic", "Table_Unavailable"},
		"Blocked_Topic,":                   {"Blocked_Topic"}, // and not a row without a status
		",,":                               nil,
	} {
		t.Run(text, func(t *testing.T) {
			environment(t, "LEDGER_TABLE_NAME=l", "EXEMPT_STATUSES="+text)
			t.Setenv("STATE_MACHINE_ARN", "m")
			t.Setenv("MONITORING_SNS_TOPIC_ARN", "t")
			t.Setenv("REJECTED_MESSAGES_QUEUE_URL", "q")
			t.Setenv("PIPE_NAMES", "p")
			for task, got := range map[string]settings.Statuses{
				"increment":        read[settings.Increment](t).ExemptStatuses,
				"check-collection": read[settings.CheckCollection](t).ExemptStatuses,
				"check-all":        read[settings.CheckAll](t).ExemptStatuses,
				"sweep":            read[settings.Sweep](t).ExemptStatuses,
			} {
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(task, diff)
				}
			}
		})
	}
}

// Package settings reads the functions' environment variables, once at start. Names, defaults and which are required
// follow the seed document ("Environment variables"). This system adds LEDGER_TABLE_NAME, REJECTED_MESSAGES_QUEUE_URL,
// COUNT_BY, EXEMPT_STATUSES, LEASE_SECONDS, MAX_COLLECTIONS, STALLED_AFTER_MINUTES, LATE_AFTER_MINUTES,
// STATE_MACHINE_ARN and PIPE_NAMES.
package settings

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/caarlos0/env/v11"

	"snapshot-status-checker/internal/snapshot"
)

// Common is the environment of every function.
type Common struct {
	Environment string `env:"ENVIRONMENT" envDefault:"dev"`
	Application string `env:"APPLICATION" envDefault:"snapshot-sender-status-checker"`
	LogLevel    Level  `env:"LOG_LEVEL" envDefault:"INFO"`
}

// About returns the settings that are common to all functions.
func (c Common) About() Common { return c }

// Settings is the environment of any function.
type Settings interface{ About() Common }

// Ledger is the environment of a function that uses the ledger.
type Ledger struct {
	LedgerTable string `env:"LEDGER_TABLE_NAME,required,notEmpty"`
}

// Tables is the environment of a function that uses both tables.
type Tables struct {
	Ledger
	StatusTable    string   `env:"DYNAMO_DB_EXPORT_STATUS_TABLE_NAME" envDefault:"UCExportToCrownStatus"`
	ExemptStatuses Statuses `env:"EXEMPT_STATUSES"`
}

// Outbox is the environment of a function that enqueues messages.
type Outbox struct {
	LeaseSeconds int `env:"LEASE_SECONDS" envDefault:"600"`
}

// Lease is the time that a message's owner has to deliver it.
func (o Outbox) Lease() time.Duration { return time.Duration(o.LeaseSeconds) * time.Second }

// Counting is the environment of increment. The sweep has it, too: people's tools read the settings from its
// environment.
type Counting struct {
	CountBy snapshot.CountBy `env:"COUNT_BY" envDefault:"message"`
}

// Increment is the environment of functions/increment.
type Increment struct {
	Common
	Tables
	Counting
	RejectedMessagesQueueURL string `env:"REJECTED_MESSAGES_QUEUE_URL,required,notEmpty"`
	MaxCollections           int    `env:"MAX_COLLECTIONS"` // that an execution may reconcile; 0 for no limit
}

// CheckCollection is the environment of functions/check-collection.
type CheckCollection struct {
	Common
	Tables
	Outbox
}

// CheckAll is the environment of functions/check-all.
type CheckAll struct {
	Common
	Tables
	Outbox
}

// Sweep is the environment of functions/sweep.
type Sweep struct {
	Common
	Tables
	Outbox
	Counting
	StalledAfterMinutes int                `env:"STALLED_AFTER_MINUTES" envDefault:"60"`
	LateAfter           snapshot.LateAfter `env:"LATE_AFTER_MINUTES"`
	StateMachineARN     string             `env:"STATE_MACHINE_ARN,required,notEmpty"`
	MonitoringTopicARN  string             `env:"MONITORING_SNS_TOPIC_ARN,required,notEmpty"`
	PipeNames           []string           `env:"PIPE_NAMES,required,notEmpty"` // separated by commas
}

// Notify is the environment of functions/notify.
type Notify struct {
	Common
	Ledger
	ExportStateQueueURL string `env:"EXPORT_STATE_SQS_QUEUE_URL,required,notEmpty"`
	MonitoringTopicARN  string `env:"MONITORING_SNS_TOPIC_ARN,required,notEmpty"`
}

// AWS is the environment that Lambda sets (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html),
// and those settings of the SDKs (https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html) that are
// useful in Lambda.
type AWS struct {
	Region          string `env:"AWS_REGION,required,notEmpty"`
	AccessKeyID     string `env:"AWS_ACCESS_KEY_ID,required,notEmpty"`
	SecretAccessKey string `env:"AWS_SECRET_ACCESS_KEY,required,notEmpty"`
	SessionToken    string `env:"AWS_SESSION_TOKEN"`
	Endpoint        string `env:"AWS_ENDPOINT_URL"` // of all services; the local engine's
	RetryMode       Mode   `env:"AWS_RETRY_MODE"`
	MaxAttempts     int    `env:"AWS_MAX_ATTEMPTS"`
	MemoryMB        int64  `env:"AWS_LAMBDA_FUNCTION_MEMORY_SIZE"`
}

// Read reads the environment into one of the structs above. Its error names every missing or invalid variable.
func Read[T any]() (T, error) {
	settings, err := env.ParseAs[T]()
	if err != nil {
		return settings, fmt.Errorf("reading the environment variables: %w", err)
	}
	return settings, nil
}

// Statuses is a list of statuses, separated by commas. Spaces around a status are ignored. Empty ones are too, so that
// a row without a status is not exempt.
type Statuses []snapshot.Status

// UnmarshalText never fails.
func (s *Statuses) UnmarshalText(text []byte) error {
	for name := range strings.SplitSeq(string(text), ",") {
		if name = strings.TrimSpace(name); name != "" {
			*s = append(*s, snapshot.Status(name))
		}
	}
	return nil
}

// Level is a log level by name. It accepts Go's names and those of the predecessor.
type Level slog.Level

// UnmarshalText accepts DEBUG, INFO, WARN, WARNING, ERROR and CRITICAL in any case.
func (l *Level) UnmarshalText(text []byte) error {
	name := strings.ToUpper(strings.TrimSpace(string(text)))
	switch name {
	case "WARNING":
		name = "WARN"
	case "CRITICAL":
		name = "ERROR"
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(name)); err != nil {
		return fmt.Errorf("log level %q is not DEBUG, INFO, WARN or ERROR", text)
	}
	*l = Level(level)
	return nil
}

// Mode is a retry mode, "" for the SDK's default.
type Mode aws.RetryMode

// UnmarshalText accepts the SDK's names.
func (m *Mode) UnmarshalText(text []byte) error {
	mode, err := aws.ParseRetryMode(string(text))
	*m = Mode(mode)
	return err
}

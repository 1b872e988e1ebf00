// Package settings reads the functions' environment variables, once at start. Their names, defaults and
// which are required are those of the seed document ("Environment variables"); LEDGER_TABLE_NAME,
// REJECTED_MESSAGES_QUEUE_URL, EXEMPT_STATUSES, LEASE_SECONDS, MAX_COLLECTIONS, STALLED_AFTER_MINUTES,
// STATE_MACHINE_ARN and PIPE_NAMES are ours.
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

// Common is what every function has.
type Common struct {
	Environment string `env:"ENVIRONMENT" envDefault:"dev"`
	Application string `env:"APPLICATION" envDefault:"snapshot-sender-status-checker"`
	LogLevel    Level  `env:"LOG_LEVEL" envDefault:"INFO"`
}

// About returns what is common to all functions.
func (c Common) About() Common { return c }

// Settings is the environment of any function.
type Settings interface{ About() Common }

// Ledger is what a function has that works on the ledger.
type Ledger struct {
	LedgerTable string `env:"LEDGER_TABLE_NAME,required,notEmpty"`
}

// Tables is what a function has that works on both tables.
type Tables struct {
	Ledger
	StatusTable    string   `env:"DYNAMO_DB_EXPORT_STATUS_TABLE_NAME" envDefault:"UCExportToCrownStatus"`
	ExemptStatuses Statuses `env:"EXEMPT_STATUSES"`
}

// Outbox is what a function has that enqueues messages.
type Outbox struct {
	LeaseSeconds int `env:"LEASE_SECONDS" envDefault:"600"`
}

// Lease is how long the owner of a message has for delivering it.
func (o Outbox) Lease() time.Duration { return time.Duration(o.LeaseSeconds) * time.Second }

// Increment is the environment of functions/increment.
type Increment struct {
	Common
	Tables
	RejectedMessagesQueueURL string `env:"REJECTED_MESSAGES_QUEUE_URL,required,notEmpty"`
	MaxCollections           int    `env:"MAX_COLLECTIONS"` // that an execution may reconcile; 0: any number
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
	StalledAfterMinutes int      `env:"STALLED_AFTER_MINUTES" envDefault:"60"`
	StateMachineARN     string   `env:"STATE_MACHINE_ARN,required,notEmpty"`
	MonitoringTopicARN  string   `env:"MONITORING_SNS_TOPIC_ARN,required,notEmpty"`
	PipeNames           []string `env:"PIPE_NAMES,required,notEmpty"` // separated by commas
}

// Notify is the environment of functions/notify.
type Notify struct {
	Common
	Ledger
	ExportStateQueueURL string `env:"EXPORT_STATE_SQS_QUEUE_URL,required,notEmpty"`
	MonitoringTopicARN  string `env:"MONITORING_SNS_TOPIC_ARN,required,notEmpty"`
}

// AWS is what Lambda says of a function's place and role
// (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html), and of what the SDKs may be told besides
// (https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html) what makes sense there.
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

// Read reads the environment into one of the structs above. The error names every variable that is missing
// or wrong.
func Read[T any]() (T, error) {
	settings, err := env.ParseAs[T]()
	if err != nil {
		return settings, fmt.Errorf("reading the environment variables: %w", err)
	}
	return settings, nil
}

// Statuses is a list of statuses, separated by commas. Blanks around them do not count, nor do empty ones: a
// row without a status must not be taken for one of the list.
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

// Level is a log level by name. Besides Go's names it knows those of the system that this one replaces.
type Level slog.Level

// UnmarshalText takes DEBUG, INFO, WARN, WARNING, ERROR and CRITICAL in any case.
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
		return fmt.Errorf("log level %q is none of DEBUG, INFO, WARN, ERROR", text)
	}
	*l = Level(level)
	return nil
}

// Mode is a way to retry: "" for the SDK's own choice.
type Mode aws.RetryMode

// UnmarshalText takes the names that the SDKs know.
func (m *Mode) UnmarshalText(text []byte) error {
	mode, err := aws.ParseRetryMode(string(text))
	*m = Mode(mode)
	return err
}

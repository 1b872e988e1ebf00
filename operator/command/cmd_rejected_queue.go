package command

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"snapshot-status-checker/operator/rejected"
	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/show"
)

const deadLettersSection = "file-received-dead-letters" // of the runbook

// readQueue selects the queue whose messages are read.
type readQueue struct {
	DeadLetters bool `help:"The dead letters of the file-received queue, instead of the rejected messages."`
}

// flag selects the same queue in a suggested command.
func (q readQueue) flag() string {
	if q.DeadLetters {
		return " --dead-letters"
	}
	return ""
}

// one names a message of the queue.
func (q readQueue) one() string {
	if q.DeadLetters {
		return "dead letter"
	}
	return "rejected message"
}

// filters names the flags that select messages of the queue.
func (q readQueue) filters() string {
	if q.DeadLetters {
		return "--run"
	}
	return "--reason and --run"
}

func (q readQueue) advice() string {
	if q.DeadLetters {
		return "What to do: docs/runbook.md#" + deadLettersSection + "."
	}
	return "What to do for each reason: docs/runbook.md#reason-codes."
}

func (q readQueue) noSuchMessage(identity string, command report.Command) error {
	return exit{exitNotFound, fmt.Sprintf("there is no %s with the identity %s; list them: %s", q.one(),
		show.Quote(identity), command.Do("rejected list"+q.flag()))}
}

// queues finds the queue to read.
func (q readQueue) queues(a *app) (rejected.Queues, error) {
	needs := []string{"RejectedMessagesQueueUrl", "FileReceivedQueueUrl"}
	if q.DeadLetters {
		needs = needs[1:]
	}
	found, err := a.deploymentWith(needs...)
	if err != nil {
		return rejected.Queues{}, err
	}
	queues := rejected.Queues{SQS: sqs.NewFromConfig(found.Config), Rejected: found.RejectedMessagesQueueUrl,
		FileReceived: found.FileReceivedQueueUrl, CountBy: found.Settings.CountBy}
	if q.DeadLetters {
		return queues.DeadLetters(a)
	}
	return queues, nil
}

// receive receives all messages of the queue. The caller makes visible again what it does not need.
func (q readQueue) receive(a *app) (*rejected.Reading, error) {
	queues, err := q.queues(a)
	if err != nil {
		return nil, err
	}
	name := "rejected-messages queue"
	if q.DeadLetters {
		name = "dead-letter queue of the file-received queue"
	}
	fmt.Fprintf(a.err, "Reading the %s. Until this ends, other readers do not see its messages.\n", name)
	reading, err := queues.Read(a)
	if err != nil {
		return nil, err
	}
	if reading.InFlight > 0 {
		fmt.Fprintf(a.err, "The list is incomplete: another reader holds about %d messages.\n", reading.InFlight)
	}
	if reading.NotReceived > 0 {
		fmt.Fprintf(a.err, "The list is incomplete: the queue did not return about %d of its messages. Try again.\n",
			reading.NotReceived)
	}
	if reading.OfOtherQueues > 0 {
		fmt.Fprintf(a.err, "Left out: %d messages of other queues, which have the same dead-letter queue.\n",
			reading.OfOtherQueues)
	}
	return reading, nil
}

// list receives all messages of the queue and makes them visible again.
func (q readQueue) list(a *app) (*rejected.Reading, error) {
	reading, err := q.receive(a)
	if err == nil {
		a.release(reading)
	}
	return reading, err
}

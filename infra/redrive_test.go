package main

import (
	"slices"
	"testing"
)

// redriveDenial keeps everyone, without a condition, from the redrive of the file-received queue's dead-letter queue.
func redriveDenial() map[string]any {
	return map[string]any{"Effect": "Deny", "Principal": map[string]any{"AWS": "*"},
		"Action": "sqs:StartMessageMoveTask", "Resource": "${QueuesFileReceivedDeadLetters.Arn}"}
}

// The redrive of files' dead letters is denied. That of the export state queue's, which the runbook asks for, is not,
// nor does the stack write a policy of an existing queue.
func TestOnlyTheRedriveOfFilesIsDenied(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		made template
		want []string
	}{
		"ByDefault": {byDefault(), []string{"${QueuesFileReceivedDeadLetters}"}},
		"WithKey":   {express(), []string{"${QueuesFileReceivedDeadLetters}"}},
		"Adopting":  {adopting(), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var denied []string
			for _, policy := range c.made.ofType("AWS::SQS::QueuePolicy") {
				for _, statement := range policy["PolicyDocument"].(map[string]any)["Statement"].([]any) {
					if slices.Contains(list(statement.(map[string]any)["Action"]), "sqs:StartMessageMoveTask") {
						denied = append(denied, list(policy["Queues"])...)
					}
				}
			}
			compare(t, c.want, denied)
		})
	}
}

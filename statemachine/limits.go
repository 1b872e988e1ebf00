package statemachine

// Sizes of an execution's data. More than PayloadBytes ends it with States.DataLimitExceeded, which no state can catch
// (https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html), and a STANDARD execution would
// lose its messages.
const (
	// PayloadBytes bounds what Pipes delivers, and a state's input and output.
	// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes.html,
	// https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
	PayloadBytes = 256 * 1024

	aroundBytes        = 4096 // that the definition adds to the records: a call's arguments, or a failed call's error
	recordBytes        = 1536 // of a record without its body: ids, attributes, ARN
	sqsMinMessageBytes = 1024 // the smallest limit that a queue may have
)

// MaxMessageBytes is the largest message of which a full batch fits into an execution. Up to a batchSize of 72 it fits
// even if JSON writes every byte of a body as two. Above that the result is sqsMinMessageBytes, and a full batch fits
// only if JSON writes at most a quarter of the bytes as two.
func MaxMessageBytes(batchSize int) int {
	return max(((PayloadBytes-aroundBytes)/batchSize-recordBytes)/2, sqsMinMessageBytes)
}

// MaxCollections is the number of collections that a STANDARD execution may reconcile: its history stays within 25,000
// events even if every state uses all its retries. One more event ends it with States.Runtime, which no state can catch
// (https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html). EXPRESS has no such limit. increment
// leaves the others to the sweep.
const MaxCollections = 270

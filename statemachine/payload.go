package statemachine

// How much an execution holds. What is more ends it with States.DataLimitExceeded, which nothing catches
// (https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html), so that a STANDARD one would
// take its messages along.
const (
	// PayloadBytes is the most that Pipes delivers and that a state may get or give.
	// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes.html,
	// https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
	PayloadBytes = 256 * 1024

	// what the definition writes around the records: a call's arguments, or the error of one that failed
	aroundBytes        = 4096
	recordBytes        = 1536 // of a record around its body: ids, attributes, ARN
	sqsMinMessageBytes = 1024 // the least that SQS lets a queue's limit be
)

// MaxMessageBytes is the largest message of which a full batch still fits into an execution. Up to a batchSize of 72 it
// does even when JSON writes every byte of a body as two. Above, SQS allows no limit so small (sqsMinMessageBytes), and
// a full batch fits only if JSON writes at most a quarter of the bytes as two.
func MaxMessageBytes(batchSize int) int {
	return max(((PayloadBytes-aroundBytes)/batchSize-recordBytes)/2, sqsMinMessageBytes)
}

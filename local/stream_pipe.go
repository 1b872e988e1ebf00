package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// streamPoll is how often a stream is read that had nothing new.
const streamPoll = 100 * time.Millisecond

// streamPipe brings those changes of a table that pass the pipe's filters to a state machine, in their order.
//
// It begins with the oldest record that the stream still holds, every time it is made: so nothing is lost that was
// written before it began or while nobody served the pipe, and it needs no memory of its own. What was delivered
// before is delivered again, which is harmless to a state machine that takes a record for a hint to look.
//
// The batch window is not waited for: a batch is what is there. A batch is tried until it is accepted, however often
// the pipe would try it on AWS.
type streamPipe struct {
	Pipe
	target
	filters Filters
	stream  *dynamodbstreams.Client
	shard   string
	log     *slog.Logger

	iterator *string // where to read next; nil: after the last record that is done with
	last     *string // sequence number of that record; nil: begin with the oldest
}

func newStreamPipe(ctx context.Context, config aws.Config, pipe Pipe, log *slog.Logger) (*streamPipe, error) {
	target, err := newTarget(config, pipe)
	if err != nil {
		return nil, err
	}
	filters, err := ParseFilters(pipe.Filters)
	if err != nil {
		return nil, err
	}
	made := &streamPipe{
		Pipe: pipe, target: target, filters: filters,
		stream: dynamodbstreams.NewFromConfig(config), log: log.With("pipe", pipe.Name),
	}
	described, err := made.stream.DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: &pipe.Source})
	if err != nil {
		return nil, fmt.Errorf("finding the stream: %w", err)
	}
	shards := described.StreamDescription.Shards
	if len(shards) != 1 {
		return nil, fmt.Errorf("the stream has %d shards: only the local engine's, of one, is supported", len(shards))
	}
	made.shard = aws.ToString(shards[0].ShardId)
	return made, nil
}

// poll brings over what comes until the context is done. A start that was begun by then is waited for.
func (s *streamPipe) poll(ctx context.Context) {
	for ctx.Err() == nil {
		records, err := s.read(ctx)
		if err == nil {
			err = s.deliver(ctx, records)
		}
		switch {
		case ctx.Err() != nil:
		case err != nil:
			s.log.Error("read again after the last record that is done with", "error", err)
			s.iterator = nil
			_ = pause(ctx, afterError)
		case len(records) == 0:
			_ = pause(ctx, streamPoll)
		}
	}
}

// read returns the records that follow on those that were read before.
func (s *streamPipe) read(ctx context.Context) ([]types.Record, error) {
	if s.iterator == nil {
		if err := s.seek(ctx); err != nil {
			return nil, err
		}
	}
	read, err := s.stream.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: s.iterator})
	if err != nil {
		return nil, fmt.Errorf("reading the stream: %w", err)
	}
	s.iterator = read.NextShardIterator
	return read.Records, nil
}

// seek finds the place after the last record that is done with. If that has left the stream, all that is there is new.
func (s *streamPipe) seek(ctx context.Context) error {
	from := &dynamodbstreams.GetShardIteratorInput{
		StreamArn: &s.Source, ShardId: &s.shard, ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
	}
	if s.last != nil {
		from.ShardIteratorType, from.SequenceNumber = types.ShardIteratorTypeAfterSequenceNumber, s.last
	}
	found, err := s.stream.GetShardIterator(ctx, from)
	if trimmed := (*types.TrimmedDataAccessException)(nil); errors.As(err, &trimmed) {
		s.last = nil
	}
	if err != nil {
		return fmt.Errorf("finding the place in the stream: %w", err)
	}
	s.iterator = found.ShardIterator
	return nil
}

// deliver starts executions with those of the records that pass, batch by batch. The next batch waits until the start
// with the one before was accepted.
func (s *streamPipe) deliver(ctx context.Context, records []types.Record) error {
	var batch []json.RawMessage
	for i, record := range records {
		delivered, event, err := StreamRecord(s.Source, record)
		if err != nil {
			return err
		}
		if s.filters.Pass(event) {
			batch = append(batch, delivered)
		}
		if len(batch) < s.BatchSize && i < len(records)-1 {
			continue
		}
		if len(batch) > 0 {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			input, err := asInput(batch)
			if err != nil {
				return err
			}
			if err := s.start(context.WithoutCancel(ctx), input); err != nil {
				return err
			}
		}
		batch, s.last = nil, record.Dynamodb.SequenceNumber
	}
	return nil
}

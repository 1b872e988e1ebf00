package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"snapshot-status-checker/local/pattern"
)

// streamPoll is the time between reads of a stream without new records.
const streamPoll = 100 * time.Millisecond

// streamPipe delivers those changes of a table that pass the pipe's filters to a state machine, in their order.
//
// It begins with the oldest record of the stream, so it needs no stored position and misses nothing that was written
// while it did not run. It may deliver a record again, which only reconciles a collection again.
//
// It does not wait for the batch window. It retries a batch until it is accepted, also beyond the pipe's limit on AWS.
type streamPipe struct {
	Pipe
	target
	filters Filters
	stream  *dynamodbstreams.Client
	shard   string
	log     *slog.Logger

	iterator *string // for the next read; nil: after last
	last     *string // sequence number of the last delivered record; nil: before the oldest
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
		return nil, fmt.Errorf("the stream has %d shards: only one, as on the local engine, is supported", len(shards))
	}
	made.shard = aws.ToString(shards[0].ShardId)
	return made, nil
}

// poll delivers records until the context is done. It waits for a start that has begun.
func (s *streamPipe) poll(ctx context.Context) {
	for ctx.Err() == nil {
		records, err := s.read(ctx)
		if err == nil {
			err = s.deliver(ctx, records)
		}
		switch {
		case ctx.Err() != nil:
		case err != nil:
			s.log.Error("reading again after the last delivered record", "error", err)
			s.iterator = nil
			_ = pause(ctx, afterError)
		case len(records) == 0:
			_ = pause(ctx, streamPoll)
		}
	}
}

// read returns the next records.
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

// seek sets the iterator after the last delivered record. If that was trimmed, the next try begins with the oldest.
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
		return fmt.Errorf("finding the position in the stream: %w", err)
	}
	s.iterator = found.ShardIterator
	return nil
}

// deliver starts executions with the records that pass, batch by batch. Each batch waits until the start of the one
// before was accepted.
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

// Filters decide which records a pipe delivers.
type Filters []pattern.Pattern

// ParseFilters parses the patterns of a pipe's filters. An unsupported pattern is an error.
func ParseFilters(texts []string) (Filters, error) {
	var filters Filters
	for _, text := range texts {
		filter, err := pattern.Parse(text)
		if err != nil {
			return nil, err
		}
		filters = append(filters, filter)
	}
	return filters, nil
}

// Pass reports whether a record matches one of the filters, or there is none.
func (f Filters) Pass(record map[string]any) bool {
	return len(f) == 0 || slices.ContainsFunc(f, func(filter pattern.Pattern) bool { return filter.Matches(record) })
}

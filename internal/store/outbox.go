package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

// The outbox has one entry for each kind of message: a collection's item has the request, a run's item has its
// notifications and alerts. An entry is written before its message is sent and marked afterwards. So a message is sent
// at least once, and exactly once if no process ends in between.

// enqueue replaces the entry that was read: for another version, or to take over a message whose lease has ended. It
// returns table.ErrConditionFailed if the entry has changed, possibly by an earlier try of the same owner whose answer
// was lost.
func (s *Store) enqueue(ctx context.Context, write table.Write, kind snapshot.Kind, read, entry snapshot.Entry) error {
	p := prefix(kind)
	if write.Set == nil {
		write.Set = map[string]any{}
	}
	write.Set[p+entryVersion] = entry.Version.N
	write.Set[p+entryOwner] = entry.Owner
	write.Set[p+entrySince] = seconds(entry.Since)
	write.Set[p+entryUntil] = seconds(entry.Until)
	write.Set[p+entryDelivered] = entry.Delivered
	write.If = append(write.If, entryAsRead(kind, read)...)
	_, err := s.db.Update(ctx, write)
	return err
}

func entryAsRead(kind snapshot.Kind, read snapshot.Entry) []table.Condition {
	p := prefix(kind)
	conditions := []table.Condition{asRead(p+entryVersion, read.Version)}
	if read.Version.Set {
		conditions = append(conditions, table.Condition{Attribute: p + entryOwner, Value: read.Owner},
			table.Condition{Attribute: p + entryUntil, Value: seconds(read.Until)},
			table.Condition{Attribute: p + entryDelivered, Value: read.Delivered})
	}
	return conditions
}

// seconds is a stored time, 0 for the zero time.
func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// Deliver sends the owner's pending message and marks it delivered. It does nothing and returns false if the message is
// delivered or has another owner now. If marking fails, the retry sends the message again, with the same event id.
func (s *Store) Deliver(
	ctx context.Context, out snapshot.Outgoing, owner string, send func(snapshot.Export) error,
) (sent bool, err error) {
	entry, export, err := s.entry(ctx, out)
	if err != nil || !entry.PendingOf(owner, out.Version) {
		return false, err
	}
	if err := send(export); err != nil {
		return false, err
	}
	return true, s.delivered(ctx, out)
}

// entry reads the outbox entry of a message's kind, and the Export to send with it.
func (s *Store) entry(ctx context.Context, out snapshot.Outgoing) (snapshot.Entry, snapshot.Export, error) {
	if out.Kind == snapshot.SuccessFileRequest {
		collection, err := s.getCollection(ctx, out.CollectionKey)
		return collection.Request, collection.Latest, err
	}
	run, err := s.getRun(ctx, out.CorrelationID)
	if err != nil || run == nil {
		return snapshot.Entry{}, snapshot.Export{}, err
	}
	return run.Outbox[out.Kind], run.Export, nil
}

// delivered marks a message delivered, whatever its present owner; it does nothing if the entry has another version.
// For a notification of the present generation it also sets the hint to notified.
func (s *Store) delivered(ctx context.Context, out snapshot.Outgoing) error {
	p, ref := prefix(out.Kind), s.runRef(out.CorrelationID)
	if out.Kind == snapshot.SuccessFileRequest {
		ref = s.collectionRef(out.CollectionKey)
	}
	version := table.Condition{Attribute: p + entryVersion, Value: out.Version}
	update := func(set map[string]any, conditions ...table.Condition) error {
		_, err := s.db.Update(ctx, table.Write{Ref: ref, Set: set, If: append(conditions, version)})
		return err
	}
	err := table.ErrConditionFailed
	if out.Kind == snapshot.AllReceived || out.Kind == snapshot.AllSuccessful {
		err = update(map[string]any{p + entryDelivered: true, p + hintNotified: true}, generationIs(out.Version))
	}
	if errors.Is(err, table.ErrConditionFailed) {
		err = update(map[string]any{p + entryDelivered: true})
	}
	if err != nil && !errors.Is(err, table.ErrConditionFailed) {
		return fmt.Errorf("marking %s delivered: %w", out.Kind, err)
	}
	return nil
}

func generationIs(generation int64) table.Condition { return numberIs(attrGeneration, generation) }

package store

import (
	"context"
	"errors"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

// claim takes a claim on condition that it stands as it was read, on an item that is still there. It returns
// table.ErrConditionFailed if another was faster, or if an earlier try of the same claimer took effect and its
// answer was lost.
func claim(ctx context.Context, db updater, ref table.Ref, kind snapshot.DebtKind, old, taken snapshot.Claim) error {
	prefix, taken := claimPrefix(kind), old.Again(taken)
	conditions := []table.Condition{{Attribute: ref.PartitionKey, Operator: table.Exists}, asRead(prefix+claimAttempt, old.Attempt)}
	if old.Attempt.Set {
		conditions = append(conditions,
			table.Condition{Attribute: prefix + claimBy, Operator: table.Equals, Value: old.By},
			table.Condition{Attribute: prefix + claimUntil, Operator: table.Equals, Value: old.Until.Unix()},
			table.Condition{Attribute: prefix + claimDelivered, Operator: table.Equals, Value: old.Delivered})
	}
	_, err := db.Update(ctx, table.Write{
		Ref: ref,
		Set: map[string]any{
			prefix + claimAttempt:   taken.Attempt.N,
			prefix + claimBy:        taken.By,
			prefix + claimSince:     taken.Since.Unix(),
			prefix + claimUntil:     taken.Until.Unix(),
			prefix + claimDelivered: false,
		},
		If: conditions,
	})
	return err
}

// delivered marks a claim's message as delivered, whoever holds the claim by now. It is void if the claim
// is meanwhile for another attempt.
func delivered(ctx context.Context, db updater, ref table.Ref, kind snapshot.DebtKind, attempt int64) error {
	prefix := claimPrefix(kind)
	_, err := db.Update(ctx, table.Write{
		Ref: ref,
		Set: map[string]any{prefix + claimDelivered: true},
		If:  []table.Condition{{Attribute: prefix + claimAttempt, Operator: table.Equals, Value: attempt}},
	})
	return unlessOvertaken(err)
}

func unlessOvertaken(err error) error {
	if errors.Is(err, table.ErrConditionFailed) {
		return nil
	}
	return err
}

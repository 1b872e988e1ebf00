package page

import (
	"context"
	"fmt"
	"slices"

	"snapshot-status-checker/functions/sweep"
	"snapshot-status-checker/internal/snapshot"
)

func (s *Server) startLooks(ctx context.Context, keys []snapshot.CollectionKey) error {
	for some := range slices.Chunk(keys, sweep.MaxLooks) {
		if err := s.Look(ctx, some); err != nil {
			return err
		}
	}
	return nil
}

func collections(n int) string {
	if n == 1 {
		return "1 collection"
	}
	return fmt.Sprintf("%d collections", n)
}

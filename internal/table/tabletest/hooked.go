package tabletest

import (
	"context"

	"snapshot-status-checker/internal/table"
)

// Call is one call of a DB.
type Call struct {
	Operation string      // Get, GetMany, Query or Update
	Refs      []table.Ref // of a Query where it begins
	Write     table.Write // of an Update
}

// Hooked is a DB with hooks around every call. An error of Before prevents the call. An error of After replaces the
// answer: the call took effect, and its answer is lost. Nil hooks do nothing.
type Hooked struct {
	DB            table.DB
	Before, After func(Call) error
}

func hooked[Answer any](h *Hooked, call Call, make func() (Answer, error)) (Answer, error) {
	var none Answer
	if h.Before != nil {
		if err := h.Before(call); err != nil {
			return none, err
		}
	}
	answer, err := make()
	if h.After != nil {
		if lost := h.After(call); lost != nil {
			return none, lost
		}
	}
	return answer, err
}

// Get and the next three implement table.DB.
func (h *Hooked) Get(ctx context.Context, read table.Read) (table.Item, error) {
	return hooked(h, Call{Operation: "Get", Refs: []table.Ref{read.Ref}},
		func() (table.Item, error) { return h.DB.Get(ctx, read) })
}

func (h *Hooked) GetMany(ctx context.Context, reads []table.Read) (map[table.Ref]table.Item, error) {
	call := Call{Operation: "GetMany"}
	for _, read := range reads {
		call.Refs = append(call.Refs, read.Ref)
	}
	return hooked(h, call, func() (map[table.Ref]table.Item, error) { return h.DB.GetMany(ctx, reads) })
}

func (h *Hooked) Query(ctx context.Context, query table.Query) (table.Page, error) {
	call := Call{Operation: "Query", Refs: []table.Ref{query.At(query.Partition, query.From)}}
	return hooked(h, call, func() (table.Page, error) { return h.DB.Query(ctx, query) })
}

func (h *Hooked) Update(ctx context.Context, write table.Write) (table.Item, error) {
	call := Call{Operation: "Update", Refs: []table.Ref{write.Ref}, Write: write}
	return hooked(h, call, func() (table.Item, error) { return h.DB.Update(ctx, write) })
}

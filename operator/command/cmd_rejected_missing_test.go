package command

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go/middleware"
)

// An incomplete list says so, to people and to scripts.
func TestRejectedListSaysThatItIsIncomplete(t *testing.T) {
	t.Parallel()
	k := newRejecting(t)
	k.some()
	k.Config.APIOptions = append(k.Config.APIOptions, func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("Overcount", func(
			ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
		) (middleware.InitializeOutput, middleware.Metadata, error) {
			out, meta, err := next.HandleInitialize(ctx, in)
			if said, counted := out.Result.(*sqs.GetQueueAttributesOutput); counted {
				said.Attributes[string(types.QueueAttributeNameApproximateNumberOfMessages)] = "9"
			}
			return out, meta, err
		}), middleware.Before)
	})
	said := k.says("", "rejected", "list", "-o", "json")
	if said.code != exitOK ||
		!strings.Contains(said.err, "the queue did not return about 9 of its messages") ||
		!strings.Contains(said.out, `"not_received": 9`) {
		t.Errorf("%+v", said)
	}
}

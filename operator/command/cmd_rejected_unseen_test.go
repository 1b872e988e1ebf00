package command

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go/middleware"
)

// A list of kept messages that lacks some says so, to people and to scripts.
func TestRejectedListSaysThatItIsIncomplete(t *testing.T) {
	t.Parallel()
	k := newKeeping(t)
	k.some()
	k.Config.APIOptions = append(k.Config.APIOptions, func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("Boast", func(
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
		!strings.Contains(said.err, "These are not all: the queue says that it has about 9 more") ||
		!strings.Contains(said.out, `"unseen": 9`) {
		t.Errorf("%+v", said)
	}
}

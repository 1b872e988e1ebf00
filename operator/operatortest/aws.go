package operatortest

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/middleware"
)

// AWS is the configuration of clients whose calls are answered by a function, from the call's input.
func AWS(answer func(ctx context.Context, in any) (any, error)) aws.Config {
	fake := middleware.InitializeMiddlewareFunc("Fake", func(ctx context.Context, in middleware.InitializeInput,
		_ middleware.InitializeHandler) (out middleware.InitializeOutput, meta middleware.Metadata, err error) {
		out.Result, err = answer(ctx, in.Parameters)
		return out, meta, err
	})
	return aws.Config{Region: "eu-west-1", APIOptions: []func(*middleware.Stack) error{
		func(stack *middleware.Stack) error { return stack.Initialize.Add(fake, middleware.Before) }}}
}

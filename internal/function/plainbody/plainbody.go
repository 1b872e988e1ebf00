// Package plainbody prevents the SDK from repeating a request that was answered quickly.
//
// smithy-go (v1.28.8) closes a request's body when the response's headers arrive. If net/http reads the body once more
// after that, a closed body that is an io.WriterTo returns io.EOF, which net/http treats as a failed write. It closes
// the connection before the response is read, and the SDK repeats a request that has taken effect. A body without
// WriteTo ends cleanly. Observed in about one of a thousand requests to an engine on the same, busy machine.
package plainbody

import (
	"context"
	"fmt"
	"io"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Option is an API option of an SDK client (aws.Config.APIOptions) that hides a body's WriteTo. It runs after signing,
// which still uses WriteTo and needs no buffer of 32 KB for each call.
func Option(stack *middleware.Stack) error {
	return stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("PlainBody", plain), middleware.After)
}

func plain(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
	middleware.FinalizeOutput, middleware.Metadata, error,
) {
	request, ok := in.Request.(*smithyhttp.Request)
	if !ok {
		return next.HandleFinalize(ctx, in)
	}
	if body, ok := request.GetStream().(io.ReadSeeker); ok {
		bare, err := request.SetStream(struct{ io.ReadSeeker }{body})
		if err != nil {
			return middleware.FinalizeOutput{}, middleware.Metadata{},
				fmt.Errorf("wrapping the request's body: %w", err)
		}
		in.Request = bare
	}
	return next.HandleFinalize(ctx, in)
}

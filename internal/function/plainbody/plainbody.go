// Package plainbody keeps the SDK from sending a request twice that was answered quickly.
//
// smithy-go (v1.28.8) closes a request's body as soon as the response's headers are here. net/http may not be through
// with its last look at the body then: a closed body that is an io.WriterTo answers with io.EOF, which net/http takes
// for a failed write. It cuts the connection while the response is still being read, and the SDK tries again what had
// its effect. A body without WriteTo ends cleanly. Seen about once in a thousand requests to an engine on the same,
// busy machine.
package plainbody

import (
	"context"
	"fmt"
	"io"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Option is an API option of an SDK client (aws.Config.APIOptions) that sends bodies which are readers and no more. It
// comes after the signing: what is hashed there is still written in one piece, without a buffer of 32 KB for each call.
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
			return middleware.FinalizeOutput{}, middleware.Metadata{}, fmt.Errorf("wrapping the request's body: %w",
				err)
		}
		in.Request = bare
	}
	return next.HandleFinalize(ctx, in)
}

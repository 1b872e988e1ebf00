package local

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"snapshot-status-checker/internal/function/plainbody"
)

// Config is the SDK's configuration for the engine at this endpoint. It reads neither environment nor profiles, so that
// it can never reach a real account.
func Config(endpoint string) aws.Config {
	return aws.Config{
		Region:       Region,
		BaseEndpoint: aws.String(endpoint),
		Credentials:  credentials.NewStaticCredentialsProvider(accessKey, secretKey, ""),
		APIOptions:   []func(*middleware.Stack) error{withoutHostPrefix, plainbody.Option},
	}
}

// The engine accepts any key pair.
const accessKey, secretKey = "test", "test"

// withoutHostPrefix stops the SDK from calling StartSyncExecution and TestState on a host with the prefix "sync-",
// which the engine does not have.
func withoutHostPrefix(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("WithoutHostPrefix",
		func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
			middleware.InitializeOutput, middleware.Metadata, error,
		) {
			return next.HandleInitialize(smithyhttp.DisableEndpointHostPrefix(ctx, true), in)
		}), middleware.Before)
}

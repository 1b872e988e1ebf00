package local

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"snapshot-status-checker/internal/function/plainbody"
)

// Config is the SDK's configuration for the engine at this endpoint. It takes nothing from the environment or from
// profiles, so that it can never reach a real account.
func Config(endpoint string) aws.Config {
	return aws.Config{
		Region:       Region,
		BaseEndpoint: aws.String(endpoint),
		Credentials:  credentials.NewStaticCredentialsProvider(accessKey, secretKey, ""),
		APIOptions:   []func(*middleware.Stack) error{withoutHostPrefix, plainbody.Option},
	}
}

// Any key pair will do for the engine.
const accessKey, secretKey = "test", "test"

// withoutHostPrefix keeps the SDK from calling StartSyncExecution and TestState on a host with a "sync-" prefix,
// which the engine has not got.
func withoutHostPrefix(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("WithoutHostPrefix",
		func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
			middleware.InitializeOutput, middleware.Metadata, error,
		) {
			return next.HandleInitialize(smithyhttp.DisableEndpointHostPrefix(ctx, true), in)
		}), middleware.Before)
}

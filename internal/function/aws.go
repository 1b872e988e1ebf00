package function

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"

	"snapshot-status-checker/internal/function/plainbody"
	"snapshot-status-checker/internal/function/settings"
)

// Config is the SDK's configuration for a function's clients, which share its connections.
//
// It is made of the variables that Lambda sets and nothing else. The SDK's own loader also knows profiles, single
// sign-on, assumed roles and the metadata of machines, none of which there is in Lambda; their clients would be
// linked into every function and initialised at every start (docs/functions.md has the figures).
func Config(s settings.AWS) aws.Config {
	config := aws.Config{
		Region:           s.Region,
		Credentials:      credentials.NewStaticCredentialsProvider(s.AccessKeyID, s.SecretAccessKey, s.SessionToken),
		HTTPClient:       keepingConnections(),
		RetryMode:        aws.RetryMode(s.RetryMode),
		RetryMaxAttempts: s.MaxAttempts,
		Logger:           logging.NewStandardLogger(os.Stderr),
		APIOptions:       []func(*middleware.Stack) error{plainbody.Option},
	}
	if s.Endpoint != "" {
		config.BaseEndpoint = &s.Endpoint
	}
	return config
}

// answerWithin bounds one try of a call. The SDK sets no bound: a connection that hangs would take all of a call's
// time.
const answerWithin = 10 * time.Second

// keepingConnections makes the SDK's client for HTTP with two changes: it has answerWithin, and it keeps all
// connections. Of a batch's concurrent calls to DynamoDB the SDK would keep ten connections and close the others after
// each call.
func keepingConnections() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().WithTimeout(answerWithin).WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConnsPerHost = t.MaxIdleConns
	})
}

// connectWithin bounds how long a function that cannot reach DynamoDB keeps its first invocation waiting.
const connectWithin = time.Second

// Connect opens the connection that the first call to DynamoDB then finds, so that name look-up, root certificates
// and handshake are done with before the first invocation. An error is no reason not to start: the call tries again.
func Connect(ctx context.Context, config aws.Config) error {
	ctx, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	endpoint, err := dynamodb.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx,
		dynamodb.EndpointParameters{Region: &config.Region, Endpoint: config.BaseEndpoint})
	if err != nil {
		return fmt.Errorf("connecting to DynamoDB: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint.URI.String(), http.NoBody)
	if err != nil {
		return fmt.Errorf("connecting to DynamoDB: %w", err)
	}
	response, err := config.HTTPClient.Do(request) // DynamoDB answers "healthy"; any answer will do
	if err != nil {
		return fmt.Errorf("connecting to DynamoDB: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	_, err = io.Copy(io.Discard, response.Body) // to its end, or the connection is not kept
	return err
}

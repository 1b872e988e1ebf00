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
// It uses only the variables that Lambda sets. The SDK's own loader would link the clients for profiles, single
// sign-on, assumed roles and instance metadata into every function and initialise them at every start
// (docs/functions.md has the figures).
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

// answerWithin bounds one try of a call. The SDK has no such bound, so one hanging connection could use up the
// invocation's time.
const answerWithin = 10 * time.Second

// keepingConnections is the SDK's HTTP client with a timeout of answerWithin, which keeps all connections. By default
// the SDK keeps ten, and closes the others after a batch's concurrent calls to DynamoDB.
func keepingConnections() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().WithTimeout(answerWithin).WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConnsPerHost = t.MaxIdleConns
	})
}

// connectWithin bounds the delay of the first invocation if DynamoDB cannot be reached.
const connectWithin = time.Second

// Connect opens the connection for the first call to DynamoDB, so that DNS, root certificates and the TLS handshake are
// done before the first invocation. After an error the first call connects.
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
	response, err := config.HTTPClient.Do(request) // DynamoDB answers "healthy"; any answer is fine
	if err != nil {
		return fmt.Errorf("connecting to DynamoDB: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	_, err = io.Copy(io.Discard, response.Body) // to the end: otherwise the connection is closed
	return err
}

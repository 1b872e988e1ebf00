package plainbody_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go/middleware"

	"snapshot-status-checker/internal/function/plainbody"
)

// A closed body does not return the io.EOF of a failed write to net/http.
func TestOption(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		options []func(*middleware.Stack) error
		want    error
	}{
		{[]func(*middleware.Stack) error{plainbody.Option}, nil},
		{nil, io.EOF}, // once this fails, the package is not needed any more
	} {
		var sent []byte
		var after error
		client := sqs.NewFromConfig(aws.Config{
			Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
			APIOptions: test.options,
			HTTPClient: doer(func(request *http.Request) (response *http.Response, err error) {
				sent, err = io.ReadAll(io.LimitReader(request.Body, request.ContentLength))
				_ = request.Body.Close()                     // smithy-go does, at any moment
				_, after = io.Copy(io.Discard, request.Body) // net/http does, to see that nothing follows
				return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(`{}`))}, err
			}),
		})
		_, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{
			QueueUrl: aws.String("https://sqs.eu-west-1.amazonaws.com/1/q"), MessageBody: aws.String("hello"),
		})
		if err != nil && !strings.Contains(err.Error(), "MD5") {
			t.Fatal(err)
		}
		if !strings.Contains(string(sent), `"MessageBody":"hello"`) {
			t.Errorf("sent %s, want the message", sent)
		}
		if after != test.want {
			t.Errorf("reading on after the end: %v, want %v", after, test.want)
		}
	}
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(request *http.Request) (*http.Response, error) { return d(request) }

package effect_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"snapshot-status-checker/operator/effect"
)

// Only an answer that refuses tells that nothing was done.
func TestRefused(t *testing.T) {
	t.Parallel()
	answered := func(status int) error {
		return fmt.Errorf("sending: %w", &awshttp.ResponseError{ResponseError: &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}}, Err: errors.New("no")}})
	}
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"Denied":       {answered(403), true},
		"Invalid":      {answered(400), true},
		"Internal":     {answered(500), false},
		"Unavailable":  {answered(503), false},
		"OtherContent": {answered(200), false}, // such as another digest of the message
		"TimedOut":     {context.DeadlineExceeded, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := effect.Refused(c.err); got != c.want {
				t.Errorf("%t, want %t", got, c.want)
			}
			want := map[bool]string{true: "nothing", false: "perhaps"}[c.want]
			if got := effect.Of(c.err, "nothing", "perhaps"); got.Error() != c.err.Error()+"; "+want ||
				!errors.Is(got, c.err) {
				t.Error(got)
			}
		})
	}
	if effect.After(nil, "done") != nil || effect.After(context.Canceled, "done").Error() != "context canceled; done" {
		t.Error("after")
	}
}

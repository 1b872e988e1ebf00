package failure_test

import (
	"errors"
	"fmt"
	"testing"

	"snapshot-status-checker/internal/function/failure"
)

func TestOutermost(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	malformed := &failure.Malformed{Err: cause}
	for _, test := range []struct {
		name      string
		err       error
		malformed bool
	}{
		{"any error may go away", cause, false},
		{"wrapped", fmt.Errorf("reading: %w", cause), false},
		{"unavailable", &failure.Unavailable{Err: cause}, false},
		{"malformed", malformed, true},
		{"malformed and wrapped", fmt.Errorf("counting: %w", fmt.Errorf("reading: %w", malformed)), true},
		{"malformed within unavailable", &failure.Unavailable{Err: malformed}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := failure.Outermost(test.err)
			var isMalformed bool
			switch got.(type) {
			case *failure.Malformed:
				isMalformed = true
			case *failure.Unavailable:
			default:
				t.Fatalf("got a %T", got)
			}
			if isMalformed != test.malformed {
				t.Errorf("got a %T", got)
			}
			if !errors.Is(got, cause) {
				t.Error("the cause is lost")
			}
			if got.Error() != test.err.Error() {
				t.Errorf("got %q, want %q", got, test.err)
			}
		})
	}
}

func TestOutermostOfNoError(t *testing.T) {
	t.Parallel()
	if err := failure.Outermost(nil); err != nil {
		t.Errorf("got %v", err)
	}
}

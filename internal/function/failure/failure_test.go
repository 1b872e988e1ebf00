package failure_test

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"snapshot-status-checker/internal/function/failure"
)

// An error is malformed if it wraps a Malformed, and else may go away. Its text and cause stay.
func TestOutermost(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	malformed := &failure.Malformed{Err: cause}
	for _, test := range []struct{ err, want error }{
		{cause, &failure.Unavailable{}},
		{fmt.Errorf("reading: %w", cause), &failure.Unavailable{}},
		{&failure.Unavailable{Err: cause}, &failure.Unavailable{}},
		{malformed, malformed},
		{fmt.Errorf("counting: %w", fmt.Errorf("reading: %w", malformed)), malformed},
		{&failure.Unavailable{Err: malformed}, malformed},
	} {
		got := failure.Outermost(test.err)
		if reflect.TypeOf(got) != reflect.TypeOf(test.want) || !errors.Is(got, cause) ||
			got.Error() != test.err.Error() {
			t.Errorf("%#v becomes %#v, want a %T of the same text and cause", test.err, got, test.want)
		}
	}
	if err := failure.Outermost(nil); err != nil {
		t.Errorf("no error becomes %v", err)
	}
}

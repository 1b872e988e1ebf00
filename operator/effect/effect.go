// Package effect says what a call that failed may have done all the same.
package effect

import (
	"errors"
	"fmt"
	"net/http"

	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Refused reports whether AWS refused the call, so that nothing took effect. After any other error it may have taken
// effect, and only its answer is lost.
func Refused(err error) bool {
	var answered *smithyhttp.ResponseError
	return errors.As(err, &answered) && answered.HTTPStatusCode() >= http.StatusBadRequest &&
		answered.HTTPStatusCode() < http.StatusInternalServerError
}

// Of adds to a call's error what it did: nothing if AWS refused it, else perhaps what is said, which goes on with
// whether it is safe to try again.
func Of(err error, nothing, perhaps string) error {
	if Refused(err) {
		return fmt.Errorf("%w; %s", err, nothing)
	}
	return fmt.Errorf("%w; %s", err, perhaps)
}

// After adds what took effect to an error that came afterwards. It is nil if there is none.
func After(err error, done string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w; %s", err, done)
}

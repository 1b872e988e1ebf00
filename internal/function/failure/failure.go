// Package failure has the two kinds of error that a task ends with. The state machine matches the names of their types;
// a test asserts that they are the definition's.
package failure

import "errors"

// Malformed reports that an input or stored data breaks its contract. A retry cannot help, and the state machine makes
// none: a person must repair the data.
type Malformed struct{ Err error }

func (e *Malformed) Error() string { return e.Err.Error() }
func (e *Malformed) Unwrap() error { return e.Err }

// Unavailable reports every other failure, such as a failed call of a service. A retry may succeed.
type Unavailable struct{ Err error }

func (e *Unavailable) Error() string { return e.Err.Error() }
func (e *Unavailable) Unwrap() error { return e.Err }

// Outermost returns err as a Malformed if it wraps one, else as an Unavailable, and nil for nil. The Lambda runtime
// reports the name of an error's outermost type only.
func Outermost(err error) error {
	if err == nil {
		return nil
	}
	if malformed := (*Malformed)(nil); errors.As(err, &malformed) {
		return &Malformed{Err: err}
	}
	return &Unavailable{Err: err}
}

// Package failure holds the two kinds of error that a task ends with. The state machine matches them by
// the names of their types, so renaming one changes the definition too; a test holds them together.
package failure

import "errors"

// Malformed says that what is stored breaks the contract of its table, so trying again cannot help: a
// person has to mend the data. The state machine does not retry it.
type Malformed struct{ Err error }

func (e *Malformed) Error() string { return e.Err.Error() }
func (e *Malformed) Unwrap() error { return e.Err }

// Unavailable says that a call to a service failed, and may succeed when it is tried again. Every error that
// is not Malformed ends as one.
type Unavailable struct{ Err error }

func (e *Unavailable) Error() string { return e.Err.Error() }
func (e *Unavailable) Unwrap() error { return e.Err }

// Outermost returns err as the type by which the state machine knows it, or nil for nil. The Lambda runtime
// reports the name of an error's outermost type only, so a wrapped Malformed is lifted out.
func Outermost(err error) error {
	if err == nil {
		return nil
	}
	if malformed := (*Malformed)(nil); errors.As(err, &malformed) {
		return &Malformed{Err: err}
	}
	return &Unavailable{Err: err}
}

package report

import "cmp"

// Command is how a person calls snapshot-status for the deployment that the answer is about: with the flags that named it. What
// is suggested begins with it, so that it acts on that deployment and no other wherever it is pasted. The zero Command has no
// flags, for a deployment that is found by itself.
type Command string

// Do is the command line that does something.
func (c Command) Do(what string) string { return cmp.Or(string(c), "snapshot-status") + " " + what }

// look looks at all of a run that waits.
func (c Command) look(run Run) string { return c.Do("look " + Quote(run.Run) + " --yes") }

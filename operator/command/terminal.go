package command

import (
	"os"

	"golang.org/x/term"
)

// isTerminal reports whether a person is likely to look at what is written there.
func isTerminal(file *os.File) bool { return term.IsTerminal(int(file.Fd())) }

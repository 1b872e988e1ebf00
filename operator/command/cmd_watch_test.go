package command

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

// ending ends a command as soon as it has written something.
type ending struct {
	bytes.Buffer
	end func()
}

func (e *ending) Write(text []byte) (int, error) {
	e.end()
	return e.Buffer.Write(text)
}

// A watch that ends before the run does not exit with 0.
func TestWatchEndedBeforeTheRun(t *testing.T) {
	t.Parallel()
	n := newNight(t)
	n.troubled("troubled")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &ending{end: cancel}
	var errOut bytes.Buffer
	code := runWith([]string{"watch", "troubled"}, &app{Context: ctx, in: strings.NewReader(""), out: out, err: &errOut,
		now:    n.clock,
		source: n.source})
	if code != exitNotDone || strings.Count(out.String(), "\n") != 1 || errOut.Len() > 0 {
		t.Errorf("exit code %d, %q, %q", code, out.String(), errOut.String())
	}
}

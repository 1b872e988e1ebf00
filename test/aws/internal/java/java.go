// Package java runs the Java programs of test/aws with the jars that `make test-aws` has fetched and checked.
package java

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"snapshot-status-checker/local"
)

// Program is a running Java program. It ends when In is closed, which the operating system does when this process ends,
// however it ends.
type Program struct {
	In  io.WriteCloser
	Out *bufio.Reader

	cmd    *exec.Cmd
	stderr *output
}

// Start runs the source file test/aws/<folder>/<class>.java over the jars of build/test-aws/<folder>.
// It returns an error that says what to do if these are not there.
func Start(folder, class string) (*Program, error) {
	project, err := local.FindProject()
	if err != nil {
		return nil, err
	}
	jars := filepath.Join(project.Root, "build", "test-aws", folder)
	if _, err := os.Stat(filepath.Join(jars, ".installed")); err != nil {
		return nil, fmt.Errorf("the jars of %s are not installed: run make test-aws, which fetches them: %w", class,
			err)
	}
	p := &Program{stderr: &output{}}
	p.cmd = exec.Command("java", "-Xmx1g", "-XX:TieredStopAtLevel=1", "-Djava.library.path="+jars,
		"-cp", filepath.Join(jars, "*"), filepath.Join(project.Root, "test", "aws", folder, class+".java"))
	p.cmd.Stderr = p.stderr
	p.cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	if p.In, err = p.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", class, err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", class, err)
	}
	p.Out = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s (Java 17 or newer is needed): %w", class, err)
	}
	return p, nil
}

// Stop ends the program and returns when it has ended, with an error that holds what it wrote to its standard error if
// it ended as failed.
func (p *Program) Stop() error {
	_ = p.In.Close()                  // it may be closed already
	_, _ = io.Copy(io.Discard, p.Out) // Wait must not come before the end of what is read
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("%w\n%s", err, p.stderr)
	}
	return nil
}

// output collects what is written to it, for several goroutines.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

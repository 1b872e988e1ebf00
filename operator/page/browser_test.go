package page

import (
	"context"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"snapshot-status-checker/local"
)

// browser is one headless Chromium for all tests of the package. Each test opens its own tabs.
var browser struct {
	sync.Once
	ctx  context.Context
	stop context.CancelFunc
	err  error
}

func startBrowser() {
	project, err := local.FindProject()
	if err != nil {
		browser.err = err
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	chromium, err := project.InstallBrowser(ctx, local.Log{Steps: os.Stderr, Output: io.Discard})
	if err != nil {
		browser.err = err
		return
	}
	// English only: the browser has no other texts, and warns when a details element needs one.
	environment := append(chromium.Environment, "LANG=C.UTF-8", "LC_ALL=C.UTF-8", "LANGUAGE=")
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium.Path), chromedp.NoSandbox,
		chromedp.DisableGPU, chromedp.Env(environment...), chromedp.Flag("accept-lang", "en-US"),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	running, stop := chromedp.NewContext(allocator)
	browser.ctx, browser.stop = running, func() { stop(); stopAllocator() }
	browser.err = chromedp.Do(running)
}

// tab is a tab of the browser. Errors and warnings in its console fail the test.
type tab struct {
	*testing.T
	ctx     context.Context
	address string // of the server
	mu      sync.Mutex
	console []string
}

// timeout is that of one expectation: the machine may be busy. A tab lives twice as long.
const timeout = 5 * time.Minute

func newTab(t *testing.T, address string) *tab {
	t.Helper()
	browser.Do(startBrowser)
	if browser.err != nil {
		t.Fatal(browser.err)
	}
	ctx, cancel := chromedp.NewContext(browser.ctx)
	ctx, cancelTime := context.WithTimeout(ctx, 2*timeout)
	b := &tab{T: t, ctx: ctx, address: strings.TrimSuffix(address, "/")}
	b.must(chromedp.Do(ctx, chromedp.EmulateViewport(1280, 900)))
	messages := chromedp.Console(ctx)
	var listening sync.WaitGroup
	listening.Go(func() {
		for message, err := range messages {
			if err != nil {
				return
			}
			if message.Type == "error" || message.Type == "warning" || message.Type == chromedp.ConsoleException {
				b.mu.Lock()
				b.console = append(b.console, string(message.Type)+": "+message.Text)
				b.mu.Unlock()
			}
		}
	})
	t.Cleanup(func() {
		cancelTime()
		cancel()
		listening.Wait()
		for _, message := range b.console {
			t.Errorf("console: %s", message)
		}
	})
	return b
}

func (b *tab) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// open opens a path of the server.
func (b *tab) open(path string) {
	b.Helper()
	b.must(chromedp.Do(b.ctx, chromedp.Navigate(b.address+path)))
}

// until waits until an expression is true in the page, also across navigations.
func (b *tab) until(what, expression string) {
	b.Helper()
	deadline := time.Now().Add(timeout)
	for {
		if found, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](`!!(`+expression+`)`)); err == nil && found {
			return
		}
		if b.ctx.Err() != nil || time.Now().After(deadline) {
			text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`document.body.innerText`))
			b.Fatalf("timeout: %s; the page shows (%v):\n%s", what, err, text)
		}
		select {
		case <-b.ctx.Done():
		case <-time.After(30 * time.Millisecond):
		}
	}
}

// number evaluates an expression to an integer.
func (b *tab) number(expression string) int {
	b.Helper()
	n, err := chromedp.Run(b.ctx, chromedp.Evaluate[int](expression))
	b.must(err)
	return n
}

// run runs a script in the page.
func (b *tab) run(script string) {
	b.Helper()
	_, err := chromedp.Run(b.ctx, chromedp.Evaluate[chromedp.Void](script))
	b.must(err)
}

// click clicks the first element that a selector matches, an SVG element included.
func (b *tab) click(selector string) {
	b.Helper()
	b.run("document.querySelector(`" + selector +
		"`).dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}))")
}

func (b *tab) press(keys string) {
	b.Helper()
	b.must(chromedp.Do(b.ctx, chromedp.KeyEvent(keys)))
}

func (b *tab) disableScripts() {
	b.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled,
		emulation.SetScriptExecutionDisabledParams{Value: true})
	b.must(err)
}

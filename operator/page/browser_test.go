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

// browser is one headless Chromium for all tests of the package. Each test opens its own tabs. It ends with the tests.
var browser = sync.OnceValues(func() (context.Context, error) {
	project, err := local.FindProject()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	chromium, err := project.InstallBrowser(ctx, local.Log{Steps: os.Stderr, Output: io.Discard})
	if err != nil {
		return nil, err
	}
	// English only: the browser has no other texts, and warns when a details element needs one.
	environment := append(chromium.Environment, "LANG=C.UTF-8", "LC_ALL=C.UTF-8", "LANGUAGE=")
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium.Path), chromedp.NoSandbox,
		chromedp.DisableGPU, chromedp.Env(environment...), chromedp.Flag("accept-lang", "en-US"),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	allocator, _ := chromedp.NewExecAllocator(context.Background(), options...)
	running, _ := chromedp.NewContext(allocator)
	return running, chromedp.Do(running)
})

// tab is a tab of the browser. Errors and warnings in its console fail the test.
type tab struct {
	*testing.T
	ctx     context.Context
	address string // of the server
}

// timeout is that of one expectation: the machine may be busy. A tab lives twice as long.
const timeout = 5 * time.Minute

func newTab(t *testing.T, address string) *tab {
	t.Helper()
	running, err := browser()
	if err != nil {
		t.Fatal(err)
	}
	ctx, closeTab := chromedp.NewContext(running)
	ctx, cancel := context.WithTimeout(ctx, 2*timeout)
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
				t.Errorf("console: %s: %s", message.Type, message.Text)
			}
		}
	})
	t.Cleanup(func() {
		cancel()
		closeTab()
		listening.Wait()
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
	for deadline := time.Now().Add(timeout); ; time.Sleep(30 * time.Millisecond) {
		if found, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](`!!(`+expression+`)`)); err == nil && found {
			return
		}
		if b.ctx.Err() != nil || time.Now().After(deadline) {
			text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`document.body.innerText`))
			b.Fatalf("timeout: %s; the page shows (%v):\n%s", what, err, text)
		}
	}
}

// untilText waits until an element, chosen by a selector, contains a text.
func (b *tab) untilText(selector, text string) {
	b.Helper()
	b.until(selector+" shows "+text, "document.querySelector(`"+selector+"`)?.innerText.includes(`"+text+"`)")
}

// evaluate returns the value of a script in the page.
func evaluate[T any](b *tab, script string) T {
	b.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script))
	b.must(err)
	return value
}

func (b *tab) run(script string) {
	b.Helper()
	evaluate[chromedp.Void](b, script)
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

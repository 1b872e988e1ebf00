package page_test

import (
	"bytes"
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

// browser is one headless Chromium for all tests of the package; each has a tab of its own.
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
	// In no other language than its own: it has no texts of others, and a page's details element asks for one.
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium.Path), chromedp.NoSandbox,
		chromedp.DisableGPU, chromedp.Env(append(chromium.Environment, "LANG=C.UTF-8", "LC_ALL=C.UTF-8",
			"LANGUAGE=")...),
		chromedp.Flag("accept-lang", "en-US"), chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true))
	allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	running, stop := chromedp.NewContext(allocator)
	browser.ctx, browser.stop = running, func() { stop(); stopAllocator() }
	browser.err = chromedp.Do(running)
}

// tab is a tab of the browser in which a test has opened a page. What a script complains about fails the test.
type tab struct {
	*testing.T
	ctx      context.Context
	at       string        // the server's address
	patience time.Duration // for something to be seen

	mu         sync.Mutex
	complaints []string
}

func newTab(t *testing.T, address string) *tab {
	t.Helper()
	return newPatientTab(t, address, 5*time.Minute) // for what takes a moment: the machine may be busy
}

// newPatientTab is for pages that take long to read. The tab lives twice as long as it waits for one thing.
func newPatientTab(t *testing.T, address string, patience time.Duration) *tab {
	t.Helper()
	browser.Do(startBrowser)
	if browser.err != nil {
		t.Fatal(browser.err)
	}
	ctx, cancel := chromedp.NewContext(browser.ctx)
	ctx, cancelTime := context.WithTimeout(ctx, 2*patience)
	b := &tab{T: t, ctx: ctx, at: strings.TrimSuffix(address, "/"), patience: patience}
	b.must(chromedp.Do(ctx, chromedp.EmulateViewport(1280, 900)))
	console := chromedp.Console(ctx)
	var listening sync.WaitGroup
	listening.Go(func() {
		for message, err := range console {
			if err != nil {
				return
			}
			if message.Type == "error" || message.Type == "warning" || message.Type == chromedp.ConsoleException {
				b.mu.Lock()
				b.complaints = append(b.complaints, string(message.Type)+": "+message.Text)
				b.mu.Unlock()
			}
		}
	})
	t.Cleanup(func() {
		cancelTime()
		cancel()
		listening.Wait()
		for _, complaint := range b.complaints {
			t.Errorf("the console says: %s", complaint)
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
	b.must(chromedp.Do(b.ctx, chromedp.Navigate(b.at+path)))
}

// until waits until an expression is true in the page, also over navigations.
func (b *tab) until(what, expression string) {
	b.Helper()
	deadline := time.Now().Add(b.patience)
	for {
		if found, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](`!!(`+expression+`)`)); err == nil && found {
			return
		}
		if b.ctx.Err() != nil || time.Now().After(deadline) {
			b.Fatalf("%s: never; the page says:\n%s", what, b.text("main"))
		}
		select {
		case <-b.ctx.Done():
		case <-time.After(30 * time.Millisecond):
		}
	}
}

// text is what a person reads in an element.
func (b *tab) text(selector string) string {
	b.Helper()
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`document.querySelector("`+selector+
		`")?.innerText ?? "nothing"`))
	b.must(err)
	return text
}

// number evaluates an expression to a whole number.
func (b *tab) number(expression string) int {
	b.Helper()
	n, err := chromedp.Run(b.ctx, chromedp.Evaluate[int](expression))
	b.must(err)
	return n
}

func (b *tab) press(keys string) {
	b.Helper()
	b.must(chromedp.Do(b.ctx, chromedp.KeyEvent(keys)))
}

func (b *tab) dark() {
	b.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia,
		emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme",
			Value: "dark"}}})
	b.must(err)
}

func (b *tab) withoutScripts() {
	b.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{
		Value: true})
	b.must(err)
}

func (b *tab) size(width, height int64) {
	b.Helper()
	b.must(chromedp.Do(b.ctx, chromedp.EmulateViewport(width, height)))
}

// picture is a PNG of what is seen.
func (b *tab) picture() []byte {
	b.Helper()
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	b.must(err)
	if !bytes.HasPrefix(png, []byte("\x89PNG")) {
		b.Fatal("that is no PNG")
	}
	return png
}

// evaluate runs a script of the test.
func (b *tab) evaluate(script string) error {
	_, err := chromedp.Run(b.ctx, chromedp.Evaluate[chromedp.Void](script))
	return err
}

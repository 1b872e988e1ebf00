package live

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"snapshot-status-checker/operator/report"
)

var update = flag.Bool("update", false, "write the golden views anew")

// golden compares a view with testdata/<name>.txt (go test -update writes it).
func golden(t *testing.T, name string, s screen) {
	t.Helper()
	got := s.View().Content
	lines := strings.Split(got, "\n")
	if len(lines) != s.height {
		t.Errorf("%d lines on a screen of %d", len(lines), s.height)
	}
	for i, line := range lines {
		if width := ansi.StringWidth(line); width > s.width {
			t.Errorf("line %d is %d wide on a screen of %d", i+1, width, s.width)
		}
	}
	goldenText(t, name+".txt", got+"\n")
}

// opened is a screen that nothing was read for yet.
func opened(t *testing.T, name string, width, height int) screen {
	t.Helper()
	source := func(context.Context) (report.Run, error) {
		t.Error("the test reads by itself")
		return report.Run{}, nil
	}
	s := newScreen(t.Context(), Options{Name: name, Every: 2 * time.Second, Now: func() time.Time { return noon }},
		source)
	return send(s, tea.WindowSizeMsg{Width: width, Height: height})
}

// send updates a screen with messages; what it would do is left undone.
func send(s screen, messages ...tea.Msg) screen {
	for _, msg := range messages {
		next, _ := s.Update(msg)
		s = next.(screen)
	}
	return s
}

// press types keys, one for each rune; names of keys stand in angle brackets.
func press(s screen, keys ...string) screen {
	named := map[string]rune{
		"esc": tea.KeyEscape, "enter": tea.KeyEnter, "backspace": tea.KeyBackspace, "down": tea.KeyDown,
		"up": tea.KeyUp, "pgdown": tea.KeyPgDown, "pgup": tea.KeyPgUp, "home": tea.KeyHome, "end": tea.KeyEnd,
	}
	for _, key := range keys {
		if code, ok := named[key]; ok {
			s = send(s, tea.KeyPressMsg{Code: code})
			continue
		}
		for _, r := range key {
			s = send(s, tea.KeyPressMsg{Code: r, Text: string(r)})
		}
	}
	return s
}

func TestViews(t *testing.T) {
	t.Parallel()
	large := manyCollections(10_000)
	moved := with(large, func(c *report.Collection) {
		if c.WaitsFor == report.ForFiles {
			c.FilesReceived += 10
		}
		if c.Collection == "db.some-database-35.a_collection_00109" {
			c.Status, c.WaitsFor = "Success", report.ForNothing
		}
	})
	one := oneCollection()
	all := with(one, func(c *report.Collection) {
		c.FilesReceived, c.Status, c.WaitsFor = 10, "Received", report.ForSuccessFile
	})
	for name, messages := range map[string][]tea.Msg{
		"opened":  {tick(at(1))},
		"unknown": {Reading{Err: ErrUnknown, Began: at(0), Ended: at(0.2)}, tick(at(1))},
		"none": {reading(0, sum(report.Run{Summary: report.Summary{Run: "run-1", State: report.InProgress},
			Notifications: notifications(report.NotDue, report.NotDue)})), tick(at(1))},
		"one":  {reading(0, one), reading(2, all), tick(at(3))},
		"many": {reading(0, large), reading(20, moved), tick(at(31)), tick(at(32))},
		"failing": {reading(0, one), Reading{Err: errors.New("ThrottlingException: Rate\nexceeded"), Began: at(2),
			Ended: at(2)}, tick(at(3))},
	} {
		for _, size := range [][2]int{{80, 24}, {200, 50}} {
			name, width, height := fmt.Sprintf("%s-%dx%d", name, size[0], size[1]), size[0], size[1]
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				golden(t, name, send(opened(t, "9b1d0f3c-full", width, height), messages...))
			})
		}
	}
}

// However small the screen is, it is filled and not overrun.
func TestViewOfAnySize(t *testing.T) {
	t.Parallel()
	run := manyCollections(300)
	for height := 1; height <= 30; height += 3 {
		for width := 1; width <= 130; width += 7 {
			s := send(opened(t, "run", width, height), reading(0, run), reading(2, run))
			lines := strings.Split(s.View().Content, "\n")
			if len(lines) != height {
				t.Fatalf("%dx%d: %d lines", width, height, len(lines))
			}
			for _, line := range lines {
				if got := ansi.StringWidth(line); got > width {
					t.Fatalf("%dx%d: a line is %d wide: %q", width, height, got, line)
				}
			}
		}
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	full := send(opened(t, "run", 80, 24), reading(0, manyCollections(200)))
	rows := full.layout().rows
	place := func(s screen) string {
		return strings.TrimSpace(strings.Split(s.View().Content, "\n")[headLines+1+rows])
	}
	for name, test := range map[string]struct {
		keys []string
		want string
	}{
		"Nothing":         {nil, "1–10 of 200"},
		"Down":            {[]string{"down", "j", "down", "up"}, "3–12 of 200"},
		"Page":            {[]string{"pgdown", "pgdown", "pgup", " "}, "21–30 of 200"},
		"End":             {[]string{"G", "up"}, "190–199 of 200"},
		"BeyondTheEnd":    {[]string{"end", "down", "pgdown"}, "191–200 of 200"},
		"BeforeTheTop":    {[]string{"down", "g", "up", "pgup"}, "1–10 of 200"},
		"Unfinished":      {[]string{"f"}, "1–10 of 60 waiting for anything"},
		"OneKind":         {[]string{"ff"}, "1–10 of 10 waiting for files"},
		"AllKinds":        {[]string{"ffffff"}, "1–10 of 200"},
		"Name":            {[]string{"/", "B_COL", "backspace", "enter"}, "0–0 of 0 named *B_CO*"},
		"NameFound":       {[]string{"/", "Collection_0001", "enter", "j"}, "1–10 of 10 named *Collection_0001*"},
		"KeysInAName":     {[]string{"/", "qfr"}, "0–0 of 0 named *qfr*"},
		"BothFilters":     {[]string{"ff", "/", "5", "enter"}, "1–4 of 4 waiting for files, named *5*"},
		"NameDropped":     {[]string{"/", "99", "esc"}, "1–10 of 200"},
		"AllAgain":        {[]string{"ff", "/", "9", "enter", "esc"}, "1–10 of 200"},
		"FilterAfterDown": {[]string{"G", "f"}, "1–10 of 60 waiting for anything"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := place(press(full, test.keys...)); got != test.want {
				t.Errorf("list = %q, want %q", got, test.want)
			}
		})
	}
}

// quits reports whether a command is to quit.
func quits(command tea.Cmd) bool {
	if command == nil {
		return false
	}
	_, quit := command().(tea.QuitMsg)
	return quit
}

func TestQuits(t *testing.T) {
	t.Parallel()
	done := sum(report.Run{Summary: report.Summary{State: report.Successful}})
	abandoned := sum(report.Run{Summary: report.Summary{State: report.Abandoned}})
	unknown := Reading{Err: ErrUnknown}
	for name, test := range map[string]struct {
		msg        tea.Msg
		stay, wait bool
		before     []tea.Msg
		want       bool
	}{
		"Q":     {msg: tea.KeyPressMsg{Code: 'q', Text: "q"}, want: true},
		"CtrlC": {msg: tea.KeyPressMsg{Code: 'c', Mod: tea.ModCtrl}, want: true},
		"CtrlCInAName": {msg: tea.KeyPressMsg{Code: 'c', Mod: tea.ModCtrl},
			before: []tea.Msg{tea.KeyPressMsg{Code: '/', Text: "/"}}, want: true},
		"QInAName": {msg: tea.KeyPressMsg{Code: 'q', Text: "q"},
			before: []tea.Msg{tea.KeyPressMsg{Code: '/', Text: "/"}}},
		"Done":            {msg: reading(1, done), want: true},
		"Abandoned":       {msg: reading(1, abandoned), want: true},
		"DoneButStay":     {msg: reading(1, done), stay: true},
		"Unknown":         {msg: unknown, want: true},
		"UnknownButWait":  {msg: unknown, wait: true},
		"NoLongerKnown":   {msg: unknown, before: []tea.Msg{reading(0, oneCollection())}},
		"ReadingFailed":   {msg: Reading{Err: errors.New("expired token")}},
		"StillGoing":      {msg: reading(1, oneCollection())},
		"AnotherKey":      {msg: tea.KeyPressMsg{Code: 'x', Text: "x"}},
		"TerminalResized": {msg: tea.WindowSizeMsg{Width: 100, Height: 30}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := opened(t, "run", 80, 24)
			s.Stay, s.Wait = test.stay, test.wait
			s = send(s, test.before...)
			if _, command := s.Update(test.msg); quits(command) != test.want {
				t.Errorf("quits = %v, want %v", !test.want, test.want)
			}
		})
	}
}

// One reading is under way at a time, whatever the clock and the keys say, and the next one waits for its time.
func TestOneReadingAtATime(t *testing.T) {
	t.Parallel()
	s := send(opened(t, "run", 80, 24), tick(at(0)))
	if !s.reading {
		t.Fatal("the first tick starts no reading")
	}
	if _, command := s.startReading(); command != nil {
		t.Error("r starts a second reading")
	}
	if s = send(s, tick(at(100))); !s.reading {
		t.Error("the reading is forgotten")
	}
	if _, command := s.Update(tea.KeyPressMsg{Code: 'r', Text: "r"}); command != nil {
		t.Error("r starts a second reading")
	}
	s = send(s, Reading{Run: oneCollection(), Began: at(100), Ended: at(103)}) // 3 s: the next one after 27 s
	if s = send(s, tick(at(129.9))); s.reading {
		t.Error("a reading starts before its time")
	}
	if pressed := press(s, "r"); !pressed.reading {
		t.Error("r starts no reading")
	}
	if s = send(s, tick(at(130))); !s.reading {
		t.Error("no reading starts when it is time")
	}
}

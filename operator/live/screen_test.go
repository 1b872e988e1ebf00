package live

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"snapshot-status-checker/operator/report"
)

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

// press types keys by their names, and texts one rune after the other.
func press(s screen, keys ...string) screen {
	named := map[string]rune{"esc": tea.KeyEscape, "enter": tea.KeyEnter, "backspace": tea.KeyBackspace,
		"down": tea.KeyDown, "up": tea.KeyUp, "pgdown": tea.KeyPgDown, "pgup": tea.KeyPgUp, "end": tea.KeyEnd}
	for _, key := range keys {
		if code, ok := named[key]; ok {
			s = send(s, tea.KeyPressMsg{Code: code})
			continue
		}
		for _, r := range key {
			s = send(s, typed(r))
		}
	}
	return s
}

func typed(r rune) tea.Msg { return tea.KeyPressMsg{Code: r, Text: string(r)} }

// checkSize checks that a view fills its screen and does not overrun it.
func checkSize(t *testing.T, s screen) {
	t.Helper()
	lines := strings.Split(s.View().Content, "\n")
	if len(lines) != s.height {
		t.Errorf("%d lines on a screen of %d", len(lines), s.height)
	}
	for i, line := range lines {
		if width := ansi.StringWidth(line); width > s.width {
			t.Errorf("line %d is %d wide on a screen of %d: %q", i+1, width, s.width, line)
		}
	}
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
	for name, messages := range map[string][]tea.Msg{
		"opened":  {tick(at(1))},
		"unknown": {Reading{Err: ErrUnknown, Began: at(0), Ended: at(0.2)}, tick(at(1))},
		"none": {reading(0, sum(report.Run{Summary: report.Summary{Run: "run-1", State: report.InProgress},
			Notifications: notifications(report.NotDue, report.NotDue)})), tick(at(1))},
		"one":  {reading(0, oneCollection()), reading(2, allReceived()), tick(at(3))},
		"many": {reading(0, large), reading(20, moved), tick(at(31)), tick(at(32))},
		"failing": {reading(0, oneCollection()), Reading{Err: errors.New("ThrottlingException: Rate\nexceeded"),
			Began: at(2),
			Ended: at(2)}, tick(at(3))},
	} {
		for _, size := range [][2]int{{80, 24}, {200, 50}} {
			name, width, height := fmt.Sprintf("%s-%dx%d", name, size[0], size[1]), size[0], size[1]
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s := send(opened(t, "9b1d0f3c-full", width, height), messages...)
				checkSize(t, s)
				golden(t, name+".txt", s.View().Content+"\n")
			})
		}
	}
}

func TestViewOfAnySize(t *testing.T) {
	t.Parallel()
	run := manyCollections(300)
	for height := 1; height <= 30 && !t.Failed(); height += 3 {
		for width := 1; width <= 130; width += 7 {
			checkSize(t, send(opened(t, "run", width, height), reading(0, run), reading(2, run)))
		}
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	full := send(opened(t, "run", 80, 24), reading(0, manyCollections(200)))
	rows, _ := full.layout()
	for name, test := range map[string]struct {
		keys []string
		want string
	}{
		"Down":            {[]string{"down", "j", "down", "up"}, "3–12 of 200"},
		"Page":            {[]string{"pgdown", "pgdown", "pgup", " "}, "21–30 of 200"},
		"Home":            {[]string{"G", "g"}, "1–10 of 200"},
		"End":             {[]string{"G", "up"}, "190–199 of 200"},
		"BeyondTheEnd":    {[]string{"end", "down", "pgdown"}, "191–200 of 200"},
		"BeforeTheTop":    {[]string{"down", "g", "up", "pgup"}, "1–10 of 200"},
		"Unfinished":      {[]string{"f"}, "1–10 of 60 waiting for anything"},
		"OneKind":         {[]string{"ff"}, "1–10 of 10 waiting for files"},
		"AllKinds":        {[]string{"ffffff"}, "1–10 of 200"},
		"Name":            {[]string{"/", "B_COL", "backspace", "enter"}, "0–0 of 0 named *B_CO*"},
		"NameFound":       {[]string{"/", "Collection_0001", "enter", "j"}, "1–10 of 10 named *Collection_0001*"},
		"BothFilters":     {[]string{"ff", "/", "5", "enter"}, "1–4 of 4 waiting for files, named *5*"},
		"NameDropped":     {[]string{"/", "99", "esc"}, "1–10 of 200"},
		"AllAgain":        {[]string{"ff", "/", "9", "enter", "esc"}, "1–10 of 200"},
		"FilterAfterDown": {[]string{"G", "f"}, "1–10 of 60 waiting for anything"},
	} {
		lines := strings.Split(press(full, test.keys...).View().Content, "\n")
		if got := strings.TrimSpace(lines[headLines+1+rows]); got != test.want {
			t.Errorf("%s: list = %q, want %q", name, got, test.want)
		}
		none := lines[headLines+1] == "No collection matches (Esc shows all)."
		if none != strings.HasPrefix(test.want, "0–0 of 0") {
			t.Errorf("%s: the list says %q", name, lines[headLines+1])
		}
	}
}

func TestQuits(t *testing.T) {
	t.Parallel()
	ended := func(state report.State) tea.Msg {
		return reading(1, report.Run{Summary: report.Summary{State: state}})
	}
	ctrlC, unknown := tea.KeyPressMsg{Code: 'c', Mod: tea.ModCtrl}, Reading{Err: ErrUnknown}
	for name, test := range map[string]struct {
		messages   []tea.Msg
		stay, wait bool
		want       bool
	}{
		"Q":              {messages: []tea.Msg{typed('q')}, want: true},
		"QInAName":       {messages: []tea.Msg{typed('/'), typed('q')}},
		"CtrlC":          {messages: []tea.Msg{ctrlC}, want: true},
		"CtrlCInAName":   {messages: []tea.Msg{typed('/'), ctrlC}, want: true},
		"Done":           {messages: []tea.Msg{ended(report.Successful)}, want: true},
		"DoneButStay":    {messages: []tea.Msg{ended(report.Successful)}, stay: true},
		"Abandoned":      {messages: []tea.Msg{ended(report.Abandoned)}, want: true},
		"StillGoing":     {messages: []tea.Msg{ended(report.InProgress)}},
		"Unknown":        {messages: []tea.Msg{unknown}, want: true},
		"UnknownButWait": {messages: []tea.Msg{unknown}, wait: true},
		"NoLongerKnown":  {messages: []tea.Msg{ended(report.InProgress), unknown}},
		"ReadingFailed":  {messages: []tea.Msg{Reading{Err: errors.New("expired token")}}},
	} {
		s := opened(t, "run", 80, 24)
		s.Stay, s.Wait = test.stay, test.wait
		last := len(test.messages) - 1
		_, command := send(s, test.messages[:last]...).Update(test.messages[last])
		quits := false
		if command != nil {
			_, quits = command().(tea.QuitMsg)
		}
		if quits != test.want {
			t.Errorf("%s: quits = %v, want %v", name, quits, test.want)
		}
	}
}

// One reading is under way at a time, whatever the clock and the keys say, and the next one waits for its time.
func TestOneReadingAtATime(t *testing.T) {
	t.Parallel()
	s := send(opened(t, "run", 80, 24), tick(at(0)))
	if !s.reading {
		t.Fatal("the first tick starts no reading")
	}
	if s = send(s, tick(at(100))); !s.reading {
		t.Error("the reading is forgotten")
	}
	if _, command := s.Update(typed('r')); command != nil {
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

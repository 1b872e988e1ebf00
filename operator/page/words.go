package page

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"net/url"
	"strconv"
	"strings"
	"time"

	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/show"
	"snapshot-status-checker/operator/trace"
)

// words are the functions of the templates.
func words(now func() time.Time) template.FuncMap {
	return template.FuncMap{
		"link":             link,
		"time":             func(moment any) template.HTML { return timeTag(moment, now()) },
		"stamp":            stamp,
		"took":             took,
		"tone":             tone,
		"notificationName": report.NotificationName,
		"status":           report.StatusName,
		"name":             trace.Name,
		"pretty":           pretty,
		"number":           number,
		"percent":          percent,
		"shorten":          shorten,
		"nearMillis":       func(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) },
	}
}

// link makes an address of a path and names with values; names with empty values are left out.
func link(path string, pairs ...any) string {
	query := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if value := fmt.Sprint(pairs[i+1]); value != "" {
			query.Set(fmt.Sprint(pairs[i]), value)
		}
	}
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

// timeTag shows how long ago a moment was, with the moment itself in its title; a script keeps it up to date.
func timeTag(moment any, now time.Time) template.HTML {
	var at time.Time
	switch m := moment.(type) {
	case *time.Time:
		if m != nil {
			at = *m
		}
	case time.Time:
		at = m
	}
	if at.IsZero() {
		return "–"
	}
	at = at.UTC()
	return template.HTML(fmt.Sprintf(`<time datetime="%s" title="%s UTC">%s ago</time>`,
		at.Format(time.RFC3339Nano), at.Format(time.DateTime), show.Duration(now.Sub(at))))
}

func stamp(moment any) string {
	switch m := moment.(type) {
	case *time.Time:
		if m != nil {
			return m.UTC().Format("2006-01-02 15:04:05")
		}
	case time.Time:
		return m.UTC().Format("2006-01-02 15:04:05")
	}
	return "–"
}

// took is how long something took, as exact as it matters.
func took(from time.Time, to *time.Time) string {
	if to == nil {
		return "still going"
	}
	d := to.Sub(from)
	if d < time.Minute {
		return fmt.Sprintf("%.3g s", d.Seconds())
	}
	return show.Duration(d)
}

// tone is the class of a state, a status, or what is waited for.
func tone(what any) string {
	switch what := what.(type) {
	case report.State:
		switch what {
		case report.Successful:
			return "good"
		case report.Stalled, report.Abandoned:
			return "bad"
		}
		return "busy"
	case report.WaitsFor:
		return classOf(what)
	case report.DeliveryState:
		switch what {
		case report.Delivered:
			return "good"
		case report.Pending:
			return "due"
		case report.Leased:
			return "busy"
		}
	case trace.Status:
		switch what {
		case "SUCCEEDED":
			return "good"
		case "RUNNING":
			return "busy"
		}
		return "bad"
	}
	return "faint"
}

// pretty indents JSON; what is not JSON stays as it is.
func pretty(text string) string {
	var indented bytes.Buffer
	if json.Indent(&indented, []byte(text), "", "  ") != nil {
		return text
	}
	return indented.String()
}

// number groups the digits: 12 345 678.
func number(n any) string {
	digits := fmt.Sprint(n)
	var grouped []string
	for len(digits) > 3 && digits[0] != '-' {
		grouped = append([]string{digits[len(digits)-3:]}, grouped...)
		digits = digits[:len(digits)-3]
	}
	return strings.Join(append([]string{digits}, grouped...), "\u202f")
}

// percent is how much of all is done, as far as that can be said; all of it only if it is all.
func percent(done, all int64) int64 {
	if all <= 0 {
		return 0
	}
	return min(100, done*100/all)
}

func shorten(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}

package page

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"net/url"
	"time"

	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/show"
	"snapshot-status-checker/operator/trace"
)

func templateFuncs(now func() time.Time) template.FuncMap {
	return template.FuncMap{
		"link": link, "stamp": stamp, "duration": duration, "tone": tone, "pretty": pretty, "number": number,
		"truncate": truncate, "name": trace.Name, "status": report.StatusName,
		"notificationName": report.NotificationName, "millis": time.Time.UnixMilli,
		"ago": func(moment any) template.HTML { return ago(moment, now()) },
	}
}

// link makes an address of a path, and names with values. Empty values are left out.
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

// timeOf is the zero time if the moment is unknown.
func timeOf(moment any) time.Time {
	switch m := moment.(type) {
	case *time.Time:
		if m != nil {
			return m.UTC()
		}
	case time.Time:
		return m.UTC()
	}
	return time.Time{}
}

// ago shows how long ago a moment was, with the moment as its title. A script keeps it up to date.
func ago(moment any, now time.Time) template.HTML {
	at := timeOf(moment)
	if at.IsZero() {
		return "–"
	}
	return template.HTML(fmt.Sprintf(`<time datetime="%s" title="%s UTC">%s ago</time>`,
		at.Format(time.RFC3339Nano), at.Format(time.DateTime), show.Duration(now.Sub(at))))
}

func stamp(moment any) string {
	at := timeOf(moment)
	if at.IsZero() {
		return "–"
	}
	return at.Format(time.DateTime)
}

func duration(from time.Time, to *time.Time) string {
	if to == nil {
		return "in progress"
	}
	d := to.Sub(from)
	if d < time.Minute {
		return fmt.Sprintf("%.3g s", d.Seconds())
	}
	return show.Duration(d)
}

// tones are the CSS classes of what is shown. The default of a type is in tone.
var tones = map[any]string{
	report.Successful: "good", report.Stalled: "bad", report.Abandoned: "bad",
	report.Delivered: "good", report.Pending: "pending", report.Leased: "busy",
	report.ForRepair: "bad", report.ForStatus: "bad", report.ForManualAction: "bad",
	report.ForReconciliation: "pending", report.ForDelivery: "pending", report.ForFiles: "files",
	report.ForSent: "sent", report.ForSuccessFile: "requested", report.ForNothing: "good",
	trace.Status("RUNNING"): "busy", trace.Status("SUCCEEDED"): "good",
}

func tone(what any) string {
	if class, known := tones[what]; known {
		return class
	}
	switch what.(type) {
	case report.State:
		return "busy"
	case report.WaitsFor:
		return "export"
	case trace.Status:
		return "bad"
	}
	return "faint"
}

// pretty indents JSON. Other text stays unchanged.
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
	for at := len(digits) - 3; at > 0 && digits[0] != '-'; at -= 3 {
		digits = digits[:at] + "\u202f" + digits[at:]
	}
	return digits
}

func truncate(text string, limit int) string {
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit-1]) + "…"
	}
	return text
}

package page

import (
	"context"
	"html"
	"regexp"
	"strings"
	"testing"
	"time"

	"snapshot-status-checker/operator/operatortest"
	"snapshot-status-checker/operator/report"
)

// Suggested commands act on the page's deployment when they are pasted, with any id. Unknown statuses are quoted.
func TestSuggestedCommandsCanBePasted(t *testing.T) {
	t.Parallel()
	for name, id := range operatortest.Hostile {
		if id == "" {
			continue // no key is empty
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := newDB(0)
			for i, status := range []string{"Sent", "Sent ", "Exported", "Blocked_Topic", "Export_Failed"} {
				db.row(id, id+strings.Repeat("x", i), status, 1)
			}
			source := newSource(db)
			source.Command = "snapshot-status --stack=x-prod"
			source.Around = func(context.Context, string) (report.Evidence, error) {
				return report.Evidence{Waiting: 1, Rejected: 1, Failed: []report.Failure{{At: time.Now()}}}, nil
			}
			server := newServer(t, source, Options{})
			run, collection := server.get("/run", "id", id), server.get("/collection", "run", id, "name", id)
			calls := operatortest.Pasted(t, append(suggestions(run), suggestions(collection)...)...)
			if len(calls) < 5 {
				t.Errorf("only %d suggestions: %q", len(calls), calls)
			}
			for _, arguments := range calls {
				if arguments[0] != "--stack=x-prod" || !operatortest.Names(arguments, id) {
					t.Errorf("not about the stack, or run %q: %q", id, arguments)
				}
			}
			for _, want := range []string{"<td>&#34;Sent &#34;</td>", `<option value="&#34;Sent &#34;">`,
				"status Export_Failed"} {
				if !strings.Contains(run, want) {
					t.Errorf("the page lacks %s: %s", want, run)
				}
			}
			only := server.get("/run", "id", id, "status", `"Sent "`)
			if rows := strings.Count(only, "<tr><th") - 1; rows != 1 {
				t.Errorf("%d rows have the unknown status, want 1", rows)
			}
		})
	}
}

// suggestions returns the commands on a page.
func suggestions(page string) (commands []string) {
	for _, code := range regexp.MustCompile(`(?s)<code>(.*?)</code>`).FindAllStringSubmatch(page, -1) {
		text := html.UnescapeString(code[1])
		if at := strings.Index(text, "snapshot-status "); at >= 0 {
			commands = append(commands, text[at:])
		}
	}
	return commands
}

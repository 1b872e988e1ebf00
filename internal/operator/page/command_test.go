package page

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"snapshot-status-checker/internal/operator/report"
	"snapshot-status-checker/internal/store"
)

// The page suggests commands that act on the deployment that it shows.
func TestThePageSuggestsTheCommandsOfItsDeployment(t *testing.T) {
	t.Parallel()
	source := Source{Command: "snapshot-status --stack x-prod", Now: time.Now, Settings: report.Settings{StalledAfter: time.Hour},
		Store: store.New(newDB(5), tables, store.Settings{})}
	server := serving(t, source, Options{})
	run := url.QueryEscape("run <1>&")
	for _, path := range []string{"/run?id=" + run, "/collection?name=db.core.collection-00000&run=" + run} {
		_, _, text := ask(t, server, "GET", path, nil)
		commands := strings.Count(text, "<code>snapshot-status ")
		if commands == 0 || commands != strings.Count(text, "<code>snapshot-status --stack x-prod ") {
			t.Errorf("%s suggests %d commands, not all of them with --stack:\n%s", path, commands, text)
		}
	}
}

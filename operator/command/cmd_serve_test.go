package command

import (
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The page of a deployment that flags named suggests commands with these flags.
func TestServeSuggestsItsOwnDeployment(t *testing.T) {
	s := deployed(t)
	s.row("on-a-page", "db.core.one", "Sent", "2")
	ctx, end := context.WithCancel(t.Context())
	out, written := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"serve", "--listen", "127.0.0.1:0", "--stack", s.Name}, strings.NewReader(""),
			written, t.Output())
		written.Close()
	}()
	t.Cleanup(func() { end(); <-ended })
	said := make([]byte, 200)
	n, err := out.Read(said)
	address := regexp.MustCompile(`http://\S+`).FindString(string(said[:n]))
	if err != nil || address == "" {
		t.Fatalf("%s (%v)", said[:n], err)
	}
	client := http.Client{Timeout: 10 * time.Minute}
	response, err := client.Get(address + "run?id=on-a-page")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if want := "<code>snapshot-status --stack=" + s.Name + " files --expected=LIST on-a-page db.core.one"; err != nil ||
		!strings.Contains(string(text), want) {
		t.Errorf("not suggested: %s (%v)\n%s", want, err, text)
	}
}

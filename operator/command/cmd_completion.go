package command

import (
	"context"
	_ "embed"
	"io"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"snapshot-status-checker/operator/report"
)

// The scripts call `snapshot-status complete-words` with the words up to the cursor.
var (
	//go:embed completion/bash.sh
	bashCompletion string
	//go:embed completion/zsh.sh
	zshCompletion string
	//go:embed completion/fish.fish
	fishCompletion string
)

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

func (c *completionCommand) Help() string {
	return "Prints the completion script. bash: source <(snapshot-status completion bash) in ~/.bashrc; " +
		"zsh: source <(snapshot-status completion zsh) in ~/.zshrc, after compinit; " +
		"fish: snapshot-status completion fish | source in ~/.config/fish/config.fish."
}

func (c *completionCommand) Run(a *app) error {
	script := map[string]string{"bash": bashCompletion, "zsh": zshCompletion, "fish": fishCompletion}[c.Shell]
	return a.write([]byte(script))
}

type completeWordsCommand struct {
	Words []string `arg:"" optional:"" help:"The words after snapshot-status, up to the cursor."`
}

// runsTimeout bounds reading the runs while a person waits at the prompt.
const runsTimeout = 3 * time.Second

// Run writes the completions of the last word, one a line. On an error it writes none.
func (c *completeWordsCommand) Run(a *app) error {
	var before []string
	typed := ""
	if last := len(c.Words) - 1; last >= 0 {
		before, typed = c.Words[:last], c.Words[last]
	}
	var line commands
	parser, err := newParser(&line, io.Discard, io.Discard)
	if err != nil {
		return err
	}
	parsed, err := kong.Trace(parser, before)
	if err != nil {
		return nil
	}
	var words strings.Builder
	for _, word := range suggest(parsed, before, typed, func() []string { return a.newestRuns(parsed, &line) }) {
		if strings.HasPrefix(word, typed) {
			words.WriteString(word + "\n")
		}
	}
	return a.write([]byte(words.String()))
}

// suggest lists what may follow the words before the one that is being typed: commands, flags, values of a flag, or
// runs.
func suggest(parsed *kong.Context, before []string, typed string, runs func() []string) (names []string) {
	node := parsed.Selected()
	if node == nil {
		node = parsed.Model.Node
	}
	arguments := 0
	for _, part := range parsed.Path {
		if part.Positional != nil {
			arguments++
		}
	}
	name, _, assigned := strings.Cut(typed, "=")
	if len(before) > 0 {
		if flag := valued(parsed.Flags(), before[len(before)-1]); flag != nil {
			return enum(flag.Value, "")
		}
	}
	switch {
	case strings.HasPrefix(typed, "--") && assigned:
		if flag := valued(parsed.Flags(), name); flag != nil {
			return enum(flag.Value, name+"=")
		}
		return nil
	case strings.HasPrefix(typed, "-"):
		for _, flag := range parsed.Flags() {
			if !flag.Hidden {
				names = append(names, "--"+flag.Name)
			}
		}
		return names
	}
	if positional := argument(node, arguments); positional != nil {
		if positional.Name == "run" {
			return runs()
		}
		return enum(positional, "")
	}
	for _, child := range node.Children {
		if !child.Hidden {
			names = append(names, child.Name)
		}
	}
	return names
}

// argument is a node's n-th argument, the last one also if it takes any number; nil if there is none.
func argument(node *kong.Node, n int) *kong.Value {
	last := len(node.Positional) - 1
	if n > last && last >= 0 && node.Positional[last].IsCumulative() {
		n = last
	}
	if n > last {
		return nil
	}
	return node.Positional[n]
}

// valued is the flag that a word names if its value is the next word; nil if not.
func valued(flags []*kong.Flag, word string) *kong.Flag {
	for _, flag := range flags {
		named := word == "--"+flag.Name || flag.Short != 0 && word == "-"+string(flag.Short)
		if named && !flag.IsBool() {
			return flag
		}
	}
	return nil
}

// enum lists the allowed values of an enum.
func enum(value *kong.Value, before string) []string {
	var values []string
	for _, one := range value.EnumSlice() {
		if one != "" {
			values = append(values, before+one)
		}
	}
	return values
}

// newestRuns lists the runs of the deployment that a line names, the newest first.
func (a *app) newestRuns(parsed *kong.Context, line *commands) []string {
	err := parsed.Reset()
	if err == nil {
		_, err = parsed.Apply()
	}
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(a, runsTimeout)
	defer cancel()
	there := *a
	there.Context, there.where = ctx, line.where()
	reader, _, err := there.reader()
	if err != nil {
		return nil
	}
	runs, _ := reader.Runs(ctx) // those that can be read
	report.NewestFirst(runs)
	var names []string
	for _, run := range runs {
		// a shell inserts it as it is
		if id := run.CorrelationID; report.Quote(id) == id && !strings.HasPrefix(id, "-") {
			names = append(names, id)
		}
	}
	return names
}

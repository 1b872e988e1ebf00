package command

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/alecthomas/kong"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/operator/deployment"
	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/show"
)

// longest are the arguments and flags that name a key of the tables, with the maximum of its bytes.
var longest = map[string]int{"run": snapshot.MaxCorrelationID, "collection": snapshot.MaxCollectionName}

// checkText refuses arguments that are not UTF-8: their bytes would be replaced, and name something else.
func checkText(args []string) error {
	for _, arg := range args {
		if !utf8.ValidString(arg) {
			return fmt.Errorf("an argument is not UTF-8: %s", show.Clean(arg))
		}
	}
	return nil
}

// checkWords refuses empty values, as an unset variable of a script leaves them, and values that are longer than a key
// of the tables.
func checkWords(line *kong.Context) error {
	if selected := line.Selected(); selected != nil && selected.Hidden {
		return nil // complete-words gets unfinished words
	}
	for _, part := range line.Path {
		value, name := part.Positional, ""
		if part.Flag != nil {
			value, name = part.Flag.Value, "--"+part.Flag.Name
		} else if value != nil {
			name = "argument " + value.Name
		}
		if value == nil {
			continue
		}
		if err := checkValue(value.Name, name, value.Target); err != nil {
			return err
		}
	}
	return nil
}

func checkValue(name, shown string, value reflect.Value) error {
	switch {
	case value.Kind() == reflect.Slice:
		for i := range value.Len() {
			if err := checkValue(name, shown, value.Index(i)); err != nil {
				return err
			}
		}
	case value.Kind() != reflect.String:
	case value.Len() == 0:
		return fmt.Errorf("%s is empty", shown)
	case longest[name] > 0 && value.Len() > longest[name]:
		return fmt.Errorf("%s has %d bytes; the maximum is %d", shown, value.Len(), longest[name])
	}
	return nil
}

// hinted explains an error of a command line, and how to write values that look like flags.
func hinted(err error, args []string) string {
	const help = " (see snapshot-status --help)"
	// Suggestions of kong are not quoted for a shell.
	wrong, _, looksLikeAFlag := strings.Cut(err.Error(), "; perhaps try ")
	if strings.Contains(wrong, "unknown flag") {
		return wrong + "; write an argument that begins with a dash last, after --" + help
	}
	flag, _, _ := strings.Cut(wrong, ":")
	if at := slices.Index(args, flag); looksLikeAFlag && at >= 0 && at+1 < len(args) {
		return wrong + "; write both in one word: " + report.Flag(strings.TrimPrefix(flag, "--"), args[at+1])
	}
	return wrong + help
}

// suggested is how suggested commands begin: with the flags that named the deployment, or that the environment set,
// since they may be pasted elsewhere.
func suggested(model *kong.Application) report.Command {
	line := "snapshot-status"
	for _, flag := range model.Flags {
		if flag.Group == nil || flag.Group.Key != "Where" || flag.Target.IsZero() {
			continue
		}
		if flag.IsBool() {
			line += " --" + flag.Name
		} else {
			line += " " + report.Flag(flag.Name, fmt.Sprint(flag.Target.Interface()))
		}
	}
	return report.Command(line)
}

// suggestedAWS is the same for the AWS command line.
func suggestedAWS(where deployment.Where, found deployment.Deployment) report.Command {
	line := "aws"
	if where.Profile != "" {
		line += " " + report.Flag("profile", where.Profile)
	}
	if where.Region != "" {
		line += " " + report.Flag("region", where.Region)
	}
	if found.Local && found.Config.BaseEndpoint != nil {
		line += " " + report.Flag("endpoint-url", *found.Config.BaseEndpoint)
	}
	return report.Command(line)
}

package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/statemachine"
)

// reader reads single settings and collects the errors.
type reader struct {
	context map[string]any
	read    map[string]bool // the keys of all settings
	errs    []error
}

func (r *reader) failf(key, value, allowed string, args ...any) {
	r.errs = append(r.errs, fmt.Errorf("context %s: %q is not allowed; allowed: %s", key, value,
		fmt.Sprintf(allowed, args...)))
}

// text is the value as `-c` would give it. Empty text, an empty list and an empty object count as absent.
func (r *reader) text(key, byDefault string) string {
	r.read[key] = true
	value := r.context[key]
	list, isList := value.([]any)
	object, isObject := value.(map[string]any)
	text := strings.TrimSpace(fmt.Sprint(value))
	if value == nil || text == "" || isList && len(list) == 0 || isObject && len(object) == 0 {
		return byDefault
	}
	return text
}

// each splits a list at its commas and returns the valid parts. Empty parts are left out.
func (r *reader) each(key string, valid func(part string) bool, allowed string, args ...any) (parts []string) {
	for part := range strings.SplitSeq(r.text(key, ""), ",") {
		switch part = strings.TrimSpace(part); {
		case part == "":
		case valid(part):
			parts = append(parts, part)
		default:
			r.failf(key, part, allowed, args...)
		}
	}
	return parts
}

func (r *reader) match(key, byDefault string, pattern *regexp.Regexp, allowed string) string {
	value := r.text(key, byDefault)
	if value != "" && !pattern.MatchString(value) {
		r.failf(key, value, "%s", allowed)
	}
	return value
}

// oneOf reads one of the words, in any case, and returns it as it is spelled in the list.
func oneOf[Word ~string](r *reader, key string, byDefault Word, allowed ...Word) Word {
	value := r.text(key, string(byDefault))
	var words []string
	for _, word := range allowed {
		if strings.EqualFold(value, string(word)) {
			return word
		}
		words = append(words, string(word))
	}
	r.failf(key, value, "%s", strings.Join(words, ", "))
	return byDefault
}

func (r *reader) number(key string, byDefault, low, high int) int {
	value := r.text(key, strconv.Itoa(byDefault))
	number, err := strconv.Atoi(value)
	if err != nil || number < low || number > high {
		r.failf(key, value, "a whole number from %d to %d", low, high)
		return byDefault
	}
	return number
}

// tasks are the names of the functions' folders.
var tasks = []string{"increment", "check-collection", "check-all", "notify", "sweep"}

// concurrency reads `task=number` pairs separated by commas. Zero is refused: it would stop the function.
func (r *reader) concurrency(key string) map[string]int {
	reserved := map[string]int{}
	r.each(key, func(part string) bool {
		task, text, _ := strings.Cut(part, "=")
		number, err := strconv.Atoi(text)
		if err != nil || number < 1 || reserved[task] > 0 || !slices.Contains(tasks, task) {
			return false
		}
		reserved[task] = number
		return true
	}, "pairs such as increment=20,sweep=1: each task once (%s), and a whole number from 1. Lambda refuses "+
		"reservations that leave fewer than 100 (50 in some accounts) of the account's concurrent calls unreserved",
		strings.Join(tasks, ", "))
	return reserved
}

// tags reads `key=value` pairs separated by commas, in the letters that every AWS service allows.
func (r *reader) tags(key string) map[string]string {
	tags := map[string]string{}
	r.each(key, func(part string) bool {
		name, value, _ := strings.Cut(part, "=")
		if !tagPattern.MatchString(part) || strings.HasPrefix(strings.ToLower(name), "aws:") || hasTag(tags, name) {
			return false
		}
		tags[name] = value
		return true
	}, "pairs such as team=data,cost-centre=42: each key once in any case, and not aws:…")
	return tags
}

// hasTag reports whether a key is taken, in any case: the stack's tags go to its roles too, and IAM's keys differ by
// more than their case (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html).
func hasTag(tags map[string]string, key string) bool {
	return slices.ContainsFunc(slices.Collect(maps.Keys(tags)),
		func(other string) bool { return strings.EqualFold(other, key) })
}

// keys reads the ARNs of KMS keys, separated by commas.
func (r *reader) keys(key string) []string {
	return r.each(key, keyArn.MatchString, "ARNs of KMS keys (not of aliases), separated by commas")
}

// statuses reads statuses separated by commas. Statuses that this system waits for or writes cannot be exempt.
func (r *reader) statuses(key string) []string {
	own := []string{"sent", "received", "success"}
	statuses := r.each(key, func(status string) bool {
		return statusPattern.MatchString(status) && !slices.Contains(own, strings.ToLower(status))
	}, "statuses separated by commas, such as Table_Unavailable,Blocked_Topic, but not Sent, Received, Success")
	if len(statuses) > statemachine.MaxExemptStatuses {
		r.failf(key, strings.Join(statuses, ","), "at most %d statuses, as many as fit into one filter of a pipe",
			statemachine.MaxExemptStatuses)
	}
	return statuses
}

// lateAfter reads the text that the sweep reads, too.
func (r *reader) lateAfter(key string) (lateAfter snapshot.LateAfter) {
	text := r.text(key, "")
	if err := lateAfter.UnmarshalText([]byte(text)); err != nil {
		r.failf(key, text, "%s", snapshot.LateAfterFormat)
	}
	return lateAfter
}

// unknown finds keys of the context that are neither settings nor CDK's own. A key that resembles a setting is an
// error, since the stack would get the setting's default; the others are returned.
func (r *reader) unknown(context map[string]any) []string {
	var others []string
	for _, key := range slices.Sorted(maps.Keys(context)) {
		if r.read[key] || isCDKs(key) {
			continue
		}
		if nearest := nearestOf(key, slices.Sorted(maps.Keys(r.read))); nearest != "" {
			r.errs = append(r.errs, fmt.Errorf("context %s: unknown setting; did you mean %s?", key, nearest))
			continue
		}
		others = append(others, key)
	}
	return others
}

// isCDKs recognises the keys of CDK and its libraries: feature flags (@aws-cdk/…), keys for the app (aws:cdk:…) and
// lookups in the account (availability-zones:account=…), all of which have a colon or a scope, and those of the command
// line itself (https://docs.aws.amazon.com/cdk/v2/guide/context.html).
func isCDKs(key string) bool {
	return strings.Contains(key, ":") || strings.HasPrefix(key, "@") ||
		slices.Contains([]string{"acknowledged-issue-numbers", "cdk-migrate", "cli-telemetry"}, key)
}

// mostLettersOff is how many letters may be wrong, extra or missing in a key that resembles a setting; fewer than half
// of a short setting's.
const mostLettersOff = 2

// nearestOf returns the setting that a key resembles most, ignoring case and separators; "" for none.
func nearestOf(key string, settings []string) string {
	separators := strings.NewReplacer("-", "", "_", "", ".", "", " ", "")
	plain := func(key string) string { return strings.ToLower(separators.Replace(key)) }
	nearest, least := "", mostLettersOff+1
	for _, setting := range settings {
		off := levenshtein.ComputeDistance(plain(key), plain(setting))
		if off < least && 2*off < len(setting) {
			nearest, least = setting, off
		}
	}
	return nearest
}

// warnOfUnknown adds a CDK warning for each key of the context that nothing reads.
func warnOfUnknown(scope constructs.Construct, s Settings) {
	for _, key := range s.Unknown {
		awscdk.Annotations_Of(scope).AddWarningV2(jsii.String("snapshot-status-checker:unknown-context-"+key),
			jsii.String("context "+key+": unknown setting, ignored"))
	}
}

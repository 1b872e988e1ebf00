package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"snapshot-status-checker/statemachine"
)

// reader reads single settings and gathers what is wrong with them.
type reader struct {
	context map[string]any
	read    map[string]bool // the keys of all settings
	errs    []error
}

func (r *reader) failf(key, value, allowed string, args ...any) {
	r.errs = append(r.errs, fmt.Errorf("context %s: %q is not allowed; allowed: %s", key, value,
		fmt.Sprintf(allowed, args...)))
}

// text is the value as `-c` would have given it; an empty one counts as absent, and so does an empty list or object.
func (r *reader) text(key, byDefault string) string {
	r.read[key] = true
	value := r.context[key]
	switch value := value.(type) {
	case nil:
		return byDefault
	case []any:
		if len(value) == 0 {
			return byDefault
		}
	case map[string]any:
		if len(value) == 0 {
			return byDefault
		}
	}
	if text := strings.TrimSpace(fmt.Sprint(value)); text != "" {
		return text
	}
	return byDefault
}

func (r *reader) match(key, byDefault string, pattern *regexp.Regexp, allowed string) string {
	value := r.text(key, byDefault)
	if value != "" && !pattern.MatchString(value) {
		r.failf(key, value, "%s", allowed)
	}
	return value
}

// oneOf reads one of the words, in any case, and returns it as it is written there.
func (r *reader) oneOf(key, byDefault string, allowed ...string) string {
	value := r.text(key, byDefault)
	for _, word := range allowed {
		if strings.EqualFold(value, word) {
			return word
		}
	}
	r.failf(key, value, "%s", strings.Join(allowed, ", "))
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

// tasks are the functions by the names that people and folders call them.
var tasks = []string{"increment", "check-collection", "check-all", "notify", "sweep"}

// concurrency reads `task=number` pairs separated by commas. Zero is refused: it would stop the function for good.
func (r *reader) concurrency(key string) map[string]int {
	var reserved map[string]int
	for part := range strings.SplitSeq(r.text(key, ""), ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		task, text, _ := strings.Cut(part, "=")
		number, err := strconv.Atoi(text)
		if _, twice := reserved[task]; err != nil || number < 1 || twice || !slices.Contains(tasks, task) {
			r.failf(key, part, "increment=20,sweep=1 and the like: each task once (%s), and a whole number from 1. "+
				"Lambda refuses reservations that leave fewer than 100 (50 in some accounts) of the account's calls "+
				"unreserved",
				strings.Join(tasks, ", "))
			continue
		}
		if reserved == nil {
			reserved = map[string]int{}
		}
		reserved[task] = number
	}
	return reserved
}

// tags reads `key=value` pairs separated by commas, in the letters that every AWS service takes.
func (r *reader) tags(key string) map[string]string {
	var tags map[string]string
	for part := range strings.SplitSeq(r.text(key, ""), ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		aws := strings.HasPrefix(strings.ToLower(name), "aws:")
		if !tagPattern.MatchString(part) || aws || hasTag(tags, name) {
			r.failf(key, part, "team=data,cost-centre=42 and the like: each key once in whatever case, and not aws:…")
			continue
		}
		if tags == nil {
			tags = map[string]string{}
		}
		tags[name] = value
	}
	return tags
}

// hasTag tells whether a key is taken. IAM, unlike other services, knows no difference between a key's cases
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html), and the stack's tags go to its roles too.
func hasTag(tags map[string]string, key string) bool {
	for other := range tags {
		if strings.EqualFold(other, key) {
			return true
		}
	}
	return false
}

// keys reads the ARNs of KMS keys, separated by commas.
func (r *reader) keys(key string) []string {
	var arns []string
	for part := range strings.SplitSeq(r.text(key, ""), ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		if !keyArn.MatchString(part) {
			r.failf(key, part, "ARNs of KMS keys (not of aliases), separated by commas")
			continue
		}
		arns = append(arns, part)
	}
	return arns
}

// statuses reads a comma-separated list. Statuses that this system itself waits for or writes cannot be exempt.
func (r *reader) statuses(key string) []string {
	var statuses []string
	for part := range strings.SplitSeq(r.text(key, ""), ",") {
		status := strings.TrimSpace(part)
		if status == "" {
			continue
		}
		if !statusPattern.MatchString(status) || slices.Contains([]string{"sent", "received", "success"},
			strings.ToLower(status)) {
			r.failf(key, status, "statuses separated by commas, such as Table_Unavailable,Blocked_Topic, but not "+
				"Sent, Received, Success")
			continue
		}
		statuses = append(statuses, status)
	}
	if len(statuses) > statemachine.MaxExemptStatuses {
		r.failf(key, strings.Join(statuses, ","), "at most %d statuses: one filter of a pipe holds no more",
			statemachine.MaxExemptStatuses)
	}
	return statuses
}

package snapshot

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// LateAfter says after what time an unfinished run is late: by snapshot type, in lower case, or under "" for every
// type. Under the zero LateAfter no run is ever late.
type LateAfter map[string]time.Duration

// A snapshot type in a LateAfter. ASCII, so that lower case is the same everywhere.
var lateType = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,63}$`)

// LateAfterFormat says what a LateAfter looks like as text.
const LateAfterFormat = "minutes from 1 to 20160 for every run, such as 480, or pairs such as " +
	"full=480,incremental=120: each snapshot type once in any case"

// UnmarshalText reads minutes: one number, or pairs of a snapshot type and a number, separated by commas. Spaces and
// empty parts are ignored. An error quotes the part that is not allowed; see LateAfterFormat.
func (l *LateAfter) UnmarshalText(text []byte) error {
	read := LateAfter{}
	for part := range strings.SplitSeq(string(text), ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		name, number, paired := strings.Cut(part, "=")
		if !paired {
			name, number = "", part
		}
		name = strings.ToLower(strings.TrimSpace(name))
		minutes, err := strconv.Atoi(strings.TrimSpace(number))
		_, twice := read[name]
		if err != nil || minutes < 1 || minutes > int(AbandonedAfter/time.Minute) || twice ||
			paired && !lateType.MatchString(name) {
			return fmt.Errorf("%q is not %s", part, LateAfterFormat)
		}
		read[name] = time.Duration(minutes) * time.Minute
	}
	if _, every := read[""]; every && len(read) > 1 {
		return errors.New("a number for every run and pairs exclude each other: give one number, or only pairs")
	}
	if len(read) == 0 {
		read = nil
	}
	*l = read
	return nil
}

// String is the text that UnmarshalText reads, its pairs in the order of their types; "" for the zero LateAfter.
func (l LateAfter) String() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(l)) {
		part := strconv.Itoa(int(l[name] / time.Minute))
		if name != "" {
			part = name + "=" + part
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ",")
}

// of is the time for a snapshot type, 0 if its runs are never late.
func (l LateAfter) of(snapshotType string) time.Duration {
	if after, every := l[""]; every {
		return after
	}
	return l[strings.ToLower(strings.TrimSpace(snapshotType))]
}

// Deadline is when the run is late unless monitoring is notified before that all of it is successful. It is the zero
// time for a run that is never late: by its type, or because that notification was delivered in this generation. What
// happens to its rows after that begins the next generation, with a deadline of its own.
func (r Run) Deadline(lateAfter LateAfter) time.Time {
	after := lateAfter.of(r.SnapshotType)
	if after == 0 || r.successNotified() || r.OpenedAt().IsZero() {
		return time.Time{}
	}
	return r.OpenedAt().Add(after)
}

// Late reports whether the run's deadline has passed.
func (r Run) Late(now time.Time, lateAfter LateAfter) bool {
	deadline := r.Deadline(lateAfter)
	return !deadline.IsZero() && !now.Before(deadline)
}

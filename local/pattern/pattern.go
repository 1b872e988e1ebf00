// Package pattern matches events against the part of EventBridge's event patterns that this system's pipes use, for the
// local pipe runner and the simulation. The rules are those of
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html.
package pattern

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Pattern is a parsed event pattern.
type Pattern struct{ matches object }

// object reports whether a JSON object matches; accepts whether a field does, which may be absent.
type (
	object  func(fields map[string]any) bool
	accepts func(value any, present bool) bool
)

// Parse parses a pattern. An unsupported operator is an error.
func Parse(text string) (Pattern, error) {
	var fields map[string]any
	if err := json.Unmarshal([]byte(text), &fields); err != nil {
		return Pattern{}, fmt.Errorf("event pattern: %w", err)
	}
	if fields == nil {
		return Pattern{}, errors.New("event pattern: null is not a pattern")
	}
	matches, err := parseObject(fields)
	return Pattern{matches}, err
}

// Matches reports whether the event, as decoded JSON, has every field of the pattern with a value that one of the
// field's alternatives accepts.
func (p Pattern) Matches(event map[string]any) bool { return p.matches(event) }

func parseObject(pattern map[string]any) (object, error) {
	var all []object
	for name, wanted := range pattern {
		one, err := parseField(name, wanted)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return func(fields map[string]any) bool {
		return !slices.ContainsFunc(all, func(one object) bool { return !one(fields) })
	}, nil
}

// or takes the place of a field, with a list of patterns of which one must match.
const or = "$or"

func parseField(name string, wanted any) (object, error) {
	if name == or {
		return parseOr(wanted)
	}
	switch wanted := wanted.(type) {
	case map[string]any:
		matches, err := parseObject(wanted)
		return func(fields map[string]any) bool {
			inner, _ := fields[name].(map[string]any)
			return matches(inner)
		}, err
	case []any:
		var alternatives []accepts
		for _, alternative := range wanted {
			one, err := parseAlternative(name, alternative)
			if err != nil {
				return nil, err
			}
			alternatives = append(alternatives, one)
		}
		return func(fields map[string]any) bool {
			value, present := fields[name]
			return slices.ContainsFunc(alternatives, func(one accepts) bool { return one(value, present) })
		}, nil
	}
	return nil, fmt.Errorf("event pattern: field %s is neither an object nor an array", name)
}

// parseOr takes at least two patterns. EventBridge reads anything else as a field of that name.
func parseOr(operand any) (object, error) {
	list, _ := operand.([]any)
	if len(list) < 2 {
		return nil, errors.New("event pattern: $or takes an array of at least two patterns")
	}
	var patterns []object
	for _, one := range list {
		fields, _ := one.(map[string]any)
		if len(fields) == 0 {
			return nil, errors.New("event pattern: $or takes patterns, each of at least one field")
		}
		matches, err := parseObject(fields)
		if err != nil {
			return nil, err
		}
		patterns = append(patterns, matches)
	}
	return func(fields map[string]any) bool {
		return slices.ContainsFunc(patterns, func(matches object) bool { return matches(fields) })
	}, nil
}

// parseAlternative takes a plain value, or an object of one operator.
func parseAlternative(field string, alternative any) (accepts, error) {
	switch alternative := alternative.(type) {
	case []any:
		return nil, fmt.Errorf("event pattern: field %s: an array is not an alternative", field)
	case map[string]any:
		if len(alternative) != 1 {
			return nil, fmt.Errorf("event pattern: field %s: %d operators in one object, want 1", field, len(alternative))
		}
		for operator, operand := range alternative {
			if one := parseOperator(operator, operand); one != nil {
				return one, nil
			}
			return nil, fmt.Errorf("event pattern: field %s: operator %s with operand %v is unsupported", field, operator,
				operand)
		}
	}
	return func(value any, present bool) bool { return present && value == alternative }, nil
}

// parseOperator returns nil if the operator or its operand is unsupported.
func parseOperator(operator string, operand any) accepts {
	switch operand := operand.(type) {
	case string:
		if operator == "equals-ignore-case" && isASCII(operand) {
			return func(value any, _ bool) bool {
				text, isText := value.(string)
				return isText && equalIgnoringCase(operand, text)
			}
		}
	case bool:
		if operator == "exists" {
			return func(_ any, present bool) bool { return present == operand }
		}
	case []any:
		if operator == "anything-but" && !slices.ContainsFunc(operand, isNoScalar) {
			return func(value any, present bool) bool { return present && !slices.Contains(operand, value) }
		}
	}
	return nil
}

// equalIgnoringCase ignores the case of ASCII letters only, as EventBridge does: ſent is not Sent. A text of the same
// length that folds to an ASCII text is ASCII too.
func equalIgnoringCase(wanted, text string) bool {
	return len(wanted) == len(text) && strings.EqualFold(wanted, text)
}

// isNoScalar reports whether the value is neither a text nor a number, which anything-but takes.
func isNoScalar(value any) bool {
	switch value.(type) {
	case string, float64:
		return false
	}
	return true
}

// isASCII reports whether the text is ASCII. How EventBridge compares other texts is not documented.
func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII })
}

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
type Pattern struct{ fields map[string]any }

// Parse parses a pattern. An unsupported operator is an error.
func Parse(text string) (Pattern, error) {
	var fields map[string]any
	if err := json.Unmarshal([]byte(text), &fields); err != nil {
		return Pattern{}, fmt.Errorf("event pattern: %w", err)
	}
	if fields == nil {
		return Pattern{}, errors.New("event pattern: null is not a pattern")
	}
	return Pattern{fields: fields}, validate(fields)
}

// Matches reports whether the event, as decoded JSON, has every field of the pattern with a value that one of the
// field's alternatives accepts.
func (p Pattern) Matches(event map[string]any) bool { return matches(p.fields, event) }

// or takes the place of a field, with a list of patterns of which one must match.
const or = "$or"

func matches(fields map[string]any, event map[string]any) bool {
	for name, wanted := range fields {
		if name == or {
			one := func(fields any) bool { return matches(fields.(map[string]any), event) }
			if !slices.ContainsFunc(wanted.([]any), one) {
				return false
			}
			continue
		}
		value, present := event[name]
		switch wanted := wanted.(type) {
		case map[string]any:
			inner, _ := value.(map[string]any)
			if !matches(wanted, inner) {
				return false
			}
		case []any:
			if !accepted(wanted, value, present) {
				return false
			}
		}
	}
	return true
}

func accepted(alternatives []any, value any, present bool) bool {
	for _, alternative := range alternatives {
		operator, isOperator := alternative.(map[string]any)
		if !isOperator {
			if present && alternative == value {
				return true
			}
			continue
		}
		text, isText := value.(string)
		if wanted, ok := operator["equals-ignore-case"].(string); ok && isText && equalIgnoringCase(wanted, text) {
			return true
		}
		if wanted, ok := operator["exists"].(bool); ok && wanted == present {
			return true
		}
		if but, ok := operator["anything-but"].([]any); ok && present && !accepted(but, value, present) {
			return true
		}
	}
	return false
}

// equalIgnoringCase ignores the case of ASCII letters only, as EventBridge does: ſent is not Sent. A text of the same
// length that folds to an ASCII text is ASCII too.
func equalIgnoringCase(wanted, text string) bool {
	return len(wanted) == len(text) && strings.EqualFold(wanted, text)
}

func validate(fields map[string]any) error {
	for name, wanted := range fields {
		if name == or {
			if err := validateOr(wanted); err != nil {
				return err
			}
			continue
		}
		switch wanted := wanted.(type) {
		case map[string]any:
			if err := validate(wanted); err != nil {
				return err
			}
		case []any:
			for _, alternative := range wanted {
				if err := validateAlternative(name, alternative); err != nil {
					return err
				}
			}
		default:
			return fmt.Errorf("event pattern: field %s is neither an object nor an array", name)
		}
	}
	return nil
}

// validateOr accepts at least two patterns. EventBridge reads anything else as a field of that name.
func validateOr(operand any) error {
	list, _ := operand.([]any)
	if len(list) < 2 {
		return errors.New("event pattern: $or takes an array of at least two patterns")
	}
	for _, one := range list {
		fields, isObject := one.(map[string]any)
		if !isObject || len(fields) == 0 {
			return errors.New("event pattern: $or takes patterns, each of at least one field")
		}
		if err := validate(fields); err != nil {
			return err
		}
	}
	return nil
}

// validateAlternative accepts a plain value, or an object of one operator.
func validateAlternative(field string, alternative any) error {
	if _, isArray := alternative.([]any); isArray {
		return fmt.Errorf("event pattern: field %s: an array is not an alternative", field)
	}
	operator, isOperator := alternative.(map[string]any)
	if !isOperator {
		return nil
	}
	if len(operator) != 1 {
		return fmt.Errorf("event pattern: field %s: %d operators in one object, want 1", field, len(operator))
	}
	for name, operand := range operator {
		ok := false
		switch name {
		case "equals-ignore-case":
			ok = isASCII(operand)
		case "exists":
			_, ok = operand.(bool)
		case "anything-but":
			ok = isListOfScalars(operand)
		}
		if !ok {
			return fmt.Errorf("event pattern: field %s: operator %s with operand %v is unsupported",
				field, name, operand)
		}
	}
	return nil
}

// isListOfScalars reports whether the operand is a list of texts and numbers, which anything-but takes.
func isListOfScalars(operand any) bool {
	list, isList := operand.([]any)
	return isList && !slices.ContainsFunc(list, func(element any) bool {
		switch element.(type) {
		case string, float64:
			return false
		}
		return true
	})
}

// isASCII reports whether the operand is an ASCII text. How EventBridge compares other texts is not documented.
func isASCII(operand any) bool {
	text, isText := operand.(string)
	return isText && !strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII })
}

package instant

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// expression reads an update expression
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html).
type expression struct {
	request
	tokens       []string
	before, item Item // the stored item, nil if there is none; the item that is written
}

// A path with its dots is one token.
var token = regexp.MustCompile(`[#:]?\w+(?:\.#?\w+)*|[(),=+\-\[\]]`)

// apply applies the expression to the item.
func apply(asked request, before, item Item) error {
	e := &expression{request: asked, tokens: token.FindAllString(asked.UpdateExpression, -1), before: before,
		item: item}
	for len(e.tokens) > 0 {
		clause := strings.ToUpper(e.next())
		for {
			if err := e.action(clause); err != nil {
				return err
			}
			if !e.skip(",") {
				break
			}
		}
	}
	return nil
}

func (e *expression) next() string {
	if len(e.tokens) == 0 {
		return ""
	}
	first := e.tokens[0]
	e.tokens = e.tokens[1:]
	return first
}

// skip takes the next token if it is this one.
func (e *expression) skip(token string) bool {
	if len(e.tokens) == 0 || e.tokens[0] != token {
		return false
	}
	e.tokens = e.tokens[1:]
	return true
}

func (e *expression) action(clause string) error {
	path := e.next()
	var value any
	var err error
	switch clause {
	case "SET":
		if !e.skip("=") {
			return fmt.Errorf("no = after %s", path)
		}
		value, err = e.sum()
	case "REMOVE":
	case "ADD", "DELETE":
		var changed any
		if changed, err = e.operand(); err == nil {
			value, err = change(clause, e.get(e.before, path), changed)
		}
	default:
		return fmt.Errorf("%q is an unknown clause", clause)
	}
	if err != nil {
		return err
	}
	return e.set(path, value)
}

// sum is an operand, or two with + or - between them.
func (e *expression) sum() (any, error) {
	left, err := e.operand()
	for err == nil {
		sign := int64(0)
		switch {
		case e.skip("+"):
			sign = 1
		case e.skip("-"):
			sign = -1
		default:
			return left, nil
		}
		var right any
		if right, err = e.operand(); err == nil {
			left, err = add(left, right, sign)
		}
	}
	return nil, err
}

func (e *expression) operand() (any, error) {
	switch name := e.next(); {
	case name == "if_not_exists":
		e.skip("(")
		value := e.get(e.before, e.next())
		e.skip(",")
		otherwise, err := e.operand()
		e.skip(")")
		if value == nil {
			value = otherwise
		}
		return value, err
	case strings.HasPrefix(name, ":"):
		value, ok := e.ExpressionAttributeValues[name]
		if !ok {
			return nil, fmt.Errorf("no value %s", name)
		}
		return value, nil
	case name == "list_append" || name == "[" || name == "(":
		return nil, fmt.Errorf("%s is unknown", name)
	default:
		value := e.get(e.before, name)
		if value == nil {
			return nil, fmt.Errorf("the item has no %s", name)
		}
		return value, nil
	}
}

// names are the path's attribute and those in maps below it.
func (e *expression) names(path string) []string {
	names := strings.Split(path, ".")
	for i, name := range names {
		names[i] = cmp.Or(e.ExpressionAttributeNames[name], name)
	}
	return names
}

func (e *expression) get(item Item, path string) any {
	names := e.names(path)
	for _, name := range names[:len(names)-1] {
		item = inside(item, name)
	}
	return item[names[len(names)-1]]
}

// inside is the map that the attribute holds, nil if it holds none.
func inside(item Item, name string) Item {
	value, _ := item[name].(map[string]any)
	held, _ := value["M"].(map[string]any)
	return held
}

// set writes the value, or removes the attribute if it is nil. It clones maps, which the stored item keeps.
func (e *expression) set(path string, value any) error {
	names := e.names(path)
	holder := e.item
	for _, name := range names[:len(names)-1] {
		held := maps.Clone(inside(holder, name))
		if held == nil {
			return fmt.Errorf("the item has no map for %s", path)
		}
		holder[name] = map[string]any{"M": map[string]any(held)}
		holder = held
	}
	if name := names[len(names)-1]; value == nil {
		delete(holder, name)
	} else {
		holder[name] = value
	}
	return nil
}

// change is the value after ADD or DELETE; nil if a set has no more members.
func change(clause string, value, by any) (any, error) {
	changed, _ := by.(map[string]any)
	if _, ok := changed["N"]; ok && clause == "ADD" {
		if value == nil {
			return by, nil
		}
		return add(value, by, 1)
	}
	for _, kind := range []string{"SS", "NS", "BS"} {
		members, ok := changed[kind].([]any)
		if !ok {
			continue
		}
		had, _ := value.(map[string]any)
		before, _ := had[kind].([]any)
		left := slices.DeleteFunc(slices.Clone(before),
			func(member any) bool { return slices.Contains(members, member) })
		if clause == "ADD" {
			left = append(left, members...)
		}
		if len(left) == 0 {
			return nil, nil
		}
		return map[string]any{kind: left}, nil
	}
	return nil, fmt.Errorf("%s takes a number or a set", clause)
}

func add(left, right any, sign int64) (any, error) {
	a, errA := number(left)
	b, errB := number(right)
	return map[string]any{"N": strconv.FormatInt(a+sign*b, 10)}, errors.Join(errA, errB)
}

func number(value any) (int64, error) {
	typed, _ := value.(map[string]any)
	text, ok := typed["N"].(string)
	if !ok {
		return 0, fmt.Errorf("%v is not a number", value)
	}
	return strconv.ParseInt(text, 10, 64)
}

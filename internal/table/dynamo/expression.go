package dynamo

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"snapshot-status-checker/internal/table"
)

// expression is a table.Write in DynamoDB's terms. Names and values are numbered in a fixed order, so that equal writes
// are equal requests.
type expression struct {
	update, condition *string
	names             map[string]string
	values            map[string]types.AttributeValue
}

func express(write table.Write) expression {
	e := &expression{names: map[string]string{}}
	var clauses []string
	clause := func(keyword string, actions []string) {
		if len(actions) > 0 {
			clauses = append(clauses, keyword+" "+strings.Join(actions, ", "))
		}
	}
	var set, add, del, conditions []string
	for _, attribute := range sorted(write.Set) {
		set = append(set, e.name(attribute)+" = "+e.value(write.Set[attribute]))
	}
	for _, attribute := range sorted(write.SetOnce) {
		name := e.name(attribute)
		set = append(set, name+" = if_not_exists("+name+", "+e.value(write.SetOnce[attribute])+")")
	}
	for _, attribute := range sorted(write.Add) {
		add = append(add, e.name(attribute)+" "+e.value(write.Add[attribute]))
	}
	for _, attribute := range sorted(write.Delete) {
		del = append(del, e.name(attribute)+" "+e.value(write.Delete[attribute]))
	}
	clause("SET", set)
	clause("ADD", add)
	clause("DELETE", del)
	for _, condition := range write.If {
		conditions = append(conditions, e.conditionOf(condition))
	}
	if len(clauses) > 0 {
		e.update = aws.String(strings.Join(clauses, " "))
	}
	if len(conditions) > 0 {
		e.condition = aws.String(strings.Join(conditions, " AND "))
	}
	return *e
}

func sorted[V any](attributes map[string]V) []string { return slices.Sorted(maps.Keys(attributes)) }

func (e *expression) conditionOf(c table.Condition) string {
	name := e.name(c.Attribute)
	switch c.Operator {
	case table.Exists:
		return "attribute_exists(" + name + ")"
	case table.Absent:
		return "attribute_not_exists(" + name + ")"
	case table.AtLeast:
		return name + " >= " + e.value(c.Value)
	case table.Below:
		return name + " < " + e.value(c.Value)
	case table.EqualsAttribute:
		return name + " = " + e.name(c.Value.(string))
	case table.ContainsNone:
		var contained []string
		for _, blob := range c.Value.(table.Blobs) {
			contained = append(contained, "contains("+name+", "+e.binary(blob)+")")
		}
		return "NOT (" + strings.Join(contained, " OR ") + ")"
	default:
		return name + " = " + e.value(c.Value)
	}
}

func (e *expression) name(attribute string) string {
	placeholder := "#" + strconv.Itoa(len(e.names))
	e.names[placeholder] = attribute
	return placeholder
}

func (e *expression) value(value any) string { return e.attribute(encode(value)) }

func (e *expression) binary(blob string) string {
	return e.attribute(&types.AttributeValueMemberB{Value: []byte(blob)})
}

func (e *expression) attribute(value types.AttributeValue) string {
	if e.values == nil {
		e.values = map[string]types.AttributeValue{}
	}
	placeholder := ":" + strconv.Itoa(len(e.values))
	e.values[placeholder] = value
	return placeholder
}

// project projects to the attributes and the keys, or to the whole item without attributes.
func project(attributes []string, keys ...string) (*string, map[string]string) {
	if len(attributes) == 0 {
		return nil, nil
	}
	e := expression{names: map[string]string{}}
	var placeholders []string
	for _, attribute := range slices.Concat(attributes, keys) {
		placeholders = append(placeholders, e.name(attribute))
	}
	return aws.String(strings.Join(placeholders, ", ")), e.names
}

// encode panics on a type that is not a table.Item's: only this program's own values are passed.
func encode(value any) types.AttributeValue {
	switch value := value.(type) {
	case string:
		return &types.AttributeValueMemberS{Value: value}
	case int64:
		return &types.AttributeValueMemberN{Value: strconv.FormatInt(value, 10)}
	case bool:
		return &types.AttributeValueMemberBOOL{Value: value}
	case table.Blobs:
		set := make([][]byte, len(value))
		for i, blob := range value {
			set[i] = []byte(blob)
		}
		return &types.AttributeValueMemberBS{Value: set}
	case table.Ints:
		set := make([]string, len(value))
		for i, number := range value {
			set[i] = strconv.FormatInt(number, 10)
		}
		return &types.AttributeValueMemberNS{Value: set}
	case table.Foreign:
		return value.Value.(types.AttributeValue)
	}
	panic(fmt.Sprintf("dynamo: a value is a %T", value))
}

func encodeKey(ref table.Ref) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		ref.PartitionKey: encode(ref.Partition),
		ref.SortKey:      encode(ref.Sort),
	}
}

func decode(name table.Name, attributes map[string]types.AttributeValue) table.Item {
	if attributes == nil {
		return nil
	}
	return decodeKeyed(name, attributes).Item
}

func decodeKeyed(name table.Name, attributes map[string]types.AttributeValue) table.Keyed {
	keyed := table.Keyed{Item: table.Item{}}
	for attribute, value := range attributes {
		switch decoded := decodeValue(value); attribute {
		case name.PartitionKey:
			keyed.Partition, _ = decoded.(string)
		case name.SortKey:
			keyed.Sort, _ = decoded.(string)
		default:
			keyed.Item[attribute] = decoded
		}
	}
	return keyed
}

func decodeValue(value types.AttributeValue) any {
	switch value := value.(type) {
	case *types.AttributeValueMemberS:
		return value.Value
	case *types.AttributeValueMemberBOOL:
		return value.Value
	case *types.AttributeValueMemberN:
		if n, err := strconv.ParseInt(value.Value, 10, 64); err == nil {
			return n
		}
		return table.Foreign{Type: "the number " + value.Value + ", which is not whole", Value: value}
	case *types.AttributeValueMemberBS:
		blobs := make([]string, len(value.Value))
		for i, blob := range value.Value {
			blobs[i] = string(blob)
		}
		return table.NewBlobs(blobs...)
	case *types.AttributeValueMemberNS:
		numbers := make([]int64, len(value.Value))
		for i, text := range value.Value {
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return table.Foreign{Type: "a set with the number " + text + ", which is not whole", Value: value}
			}
			numbers[i] = n
		}
		return table.NewInts(numbers...)
	case *types.AttributeValueMemberNULL:
		return table.Foreign{Type: table.Null, Value: value}
	}
	return table.Foreign{Type: "of another type", Value: value}
}

package dynamo

import (
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"snapshot-status-checker/internal/table"
)

// expression is a table.Write in DynamoDB's terms. Names and values are numbered in a fixed order, so that
// one Write always gives the same request.
type expression struct {
	update, condition *string
	names             map[string]string
	values            map[string]types.AttributeValue
}

func express(write table.Write) expression {
	e := &expression{names: map[string]string{}}
	var remove, conditions, update []string
	set := make([]string, 0, len(write.Set)+len(write.SetOnce)+len(write.Add))
	for _, attribute := range sorted(write.Set) {
		set = append(set, e.name(attribute)+" = "+e.value(write.Set[attribute]))
	}
	for _, attribute := range sorted(write.SetOnce) {
		name := e.name(attribute)
		set = append(set, name+" = if_not_exists("+name+", "+e.value(write.SetOnce[attribute])+")")
	}
	for _, attribute := range sorted(write.Add) {
		name, sum := e.name(attribute), write.Add[attribute]
		set = append(set, name+" = if_not_exists("+name+", "+e.value(sum.From)+") + "+e.value(sum.N))
	}
	for _, attribute := range write.Remove {
		remove = append(remove, e.name(attribute))
	}
	for _, condition := range write.If {
		conditions = append(conditions, e.conditionOf(condition))
	}
	if len(set) > 0 {
		update = append(update, "SET "+strings.Join(set, ", "))
	}
	if len(remove) > 0 {
		update = append(update, "REMOVE "+strings.Join(remove, ", "))
	}
	if len(update) > 0 {
		e.update = aws.String(strings.Join(update, " "))
	}
	if len(conditions) > 0 {
		e.condition = aws.String(strings.Join(conditions, " AND "))
	}
	return *e
}

// sorted returns the names of attributes in their order.
func sorted[V any](attributes map[string]V) []string {
	names := make([]string, 0, len(attributes))
	for name := range attributes {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (e *expression) conditionOf(c table.Condition) string {
	switch c.Operator {
	case table.Exists:
		return "attribute_exists(" + e.name(c.Attribute) + ")"
	case table.Absent:
		return "attribute_not_exists(" + e.name(c.Attribute) + ")"
	default:
		return e.name(c.Attribute) + " = " + e.value(c.Value)
	}
}

func (e *expression) name(attribute string) string {
	placeholder := "#" + strconv.Itoa(len(e.names))
	e.names[placeholder] = attribute
	return placeholder
}

func (e *expression) value(value any) string {
	if e.values == nil {
		e.values = map[string]types.AttributeValue{}
	}
	placeholder := ":" + strconv.Itoa(len(e.values))
	e.values[placeholder] = encode(value)
	return placeholder
}

func project(attributes []string) (*string, map[string]string) {
	if len(attributes) == 0 {
		return nil, nil
	}
	e := expression{names: map[string]string{}}
	var placeholders []string
	for _, attribute := range attributes {
		placeholders = append(placeholders, e.name(attribute))
	}
	return aws.String(strings.Join(placeholders, ", ")), e.names
}

// projectWithKey asks for the key beside the attributes, or for the whole item if no attributes are named.
func projectWithKey(name table.Name, attributes []string) (*string, map[string]string) {
	if len(attributes) == 0 {
		return nil, nil
	}
	return project(append(slices.Clone(attributes), name.PartitionKey, name.SortKey))
}

// encode panics on a type that table.Item does not name: only this program's own values come here.
func encode(value any) types.AttributeValue {
	switch value := value.(type) {
	case string:
		return &types.AttributeValueMemberS{Value: value}
	case int64:
		return &types.AttributeValueMemberN{Value: strconv.FormatInt(value, 10)}
	case bool:
		return &types.AttributeValueMemberBOOL{Value: value}
	}
	panic("dynamo: value is neither string, int64 nor bool")
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
		return table.Foreign("the number " + value.Value + ", which is not whole")
	}
	return table.Foreign("of another type")
}

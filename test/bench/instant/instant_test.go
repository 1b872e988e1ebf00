package instant_test

import (
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/local"
	"snapshot-status-checker/test/bench/instant"
)

func n(value string) types.AttributeValue { return &types.AttributeValueMemberN{Value: value} }
func s(value string) types.AttributeValue { return &types.AttributeValueMemberS{Value: value} }

func key(sort string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"PK": s("p"), "SK": s(sort)}
}

func start(t *testing.T) (*instant.DB, *dynamodb.Client) {
	t.Helper()
	db := instant.New(map[string][]string{"ledger": {"PK", "SK"}})
	server := httptest.NewServer(db)
	t.Cleanup(server.Close)
	return db, dynamodb.NewFromConfig(local.Config(server.URL), func(o *dynamodb.Options) { o.RetryMaxAttempts = 1 })
}

// Each update goes to the item that the ones before it left.
func TestUpdateItem(t *testing.T) {
	t.Parallel()
	db, client := start(t)
	values := map[string]types.AttributeValue{
		":one": n("1"), ":five": n("5"), ":text": s("text"), ":map": &types.AttributeValueMemberM{Value: key("in")},
		":ab": &types.AttributeValueMemberBS{Value: [][]byte{[]byte("a"), []byte("b")}},
		":b":  &types.AttributeValueMemberBS{Value: [][]byte{[]byte("b")}},
		":7":  &types.AttributeValueMemberNS{Value: []string{"7"}},
	}
	for _, step := range []struct {
		update string
		want   instant.Item
	}{
		{"ADD Counted :five, Recent :ab", instant.Item{"Counted": num("5"), "Recent": set("BS", "YQ==", "Yg==")}},
		{"SET #n = Counted - :one, Total = if_not_exists(Total, :five) + :one ADD Counted :one",
			instant.Item{"Counted": num("6"), "Recent": set("BS", "YQ==", "Yg=="), "Name": num("4"),
				"Total": num("6")}},
		{"SET Total = if_not_exists(Total, :five) + :one REMOVE #n, Missing DELETE Recent :b ADD Recent :b, Epochs :7",
			instant.Item{"Counted": num("6"), "Recent": set("BS", "YQ==", "Yg=="), "Total": num("7"),
				"Epochs": set("NS", "7")}},
		{"DELETE Recent :ab, Epochs :7 SET Deep = :map", instant.Item{"Counted": num("6"), "Total": num("7"),
			"Deep": map[string]any{"M": map[string]any{"PK": map[string]any{"S": "p"},
				"SK": map[string]any{"S": "in"}}}}},
		{"REMOVE Deep.PK SET Deep.#n = :text", instant.Item{"Counted": num("6"), "Total": num("7"),
			"Deep": map[string]any{"M": map[string]any{"Name": map[string]any{"S": "text"},
				"SK": map[string]any{"S": "in"}}}}},
	} {
		_, err := client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: aws.String("ledger"),
			Key:              key("c"),
			UpdateExpression: &step.update, ConditionExpression: aws.String("attribute_not_exists(PK)"),
			ExpressionAttributeValues: values, ExpressionAttributeNames: map[string]string{"#n": "Name"}})
		if err != nil {
			t.Fatalf("%s: %v", step.update, err)
		}
		got, err := db.Get("ledger", instant.Item{"PK": map[string]any{"S": "p"}, "SK": map[string]any{"S": "c"}})
		if err != nil {
			t.Fatal(err)
		}
		delete(got, "PK")
		delete(got, "SK")
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", step.update, diff)
		}
	}
	for _, update := range []string{
		"SET Counted :one", "SET A = list_append(A, :one)", "SET A = Missing", "FORGET A", "SET A = :none",
		"ADD A :text",
		"SET No.B = :one",
	} {
		if _, err := client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: aws.String("ledger"),
			Key:              key("c"),
			UpdateExpression: &update, ExpressionAttributeValues: values}); err == nil {
			t.Errorf("%s: no error", update)
		}
	}
}

func num(text string) any { return map[string]any{"N": text} }

func set(kind string, members ...any) any { return map[string]any{kind: members} }

func TestOtherOperations(t *testing.T) {
	t.Parallel()
	_, client := start(t)
	name := aws.String("ledger")
	if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: name, Item: key("1")}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.TransactWriteItems(t.Context(),
		&dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
			{Put: &types.Put{TableName: name, Item: key("2")}},
			{Update: &types.Update{TableName: name, Key: key("3"), UpdateExpression: aws.String("SET A = :a"),
				ExpressionAttributeValues: map[string]types.AttributeValue{":a": n("1")}}},
			{ConditionCheck: &types.ConditionCheck{TableName: name, Key: key("3"),
				ConditionExpression: aws.String("attribute_exists(PK)")}},
			{Delete: &types.Delete{TableName: name, Key: key("1")}},
		}}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.BatchWriteItem(t.Context(),
		&dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"ledger": {
			{PutRequest: &types.PutRequest{Item: key("4")}},
			{DeleteRequest: &types.DeleteRequest{Key: key("2")}}}}}); err != nil {
		t.Fatal(err)
	}
	one, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: name, Key: key("3")})
	if err != nil || cmp.Diff(n("1"), one.Item["A"], cmp.AllowUnexported(types.AttributeValueMemberN{})) != "" {
		t.Errorf("got %v, %v", one, err)
	}
	many, err := client.BatchGetItem(t.Context(),
		&dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
			"ledger": {Keys: []map[string]types.AttributeValue{key("1"), key("2"), key("3"), key("4")}}}})
	if err != nil || len(many.Responses["ledger"]) != 2 {
		t.Errorf("got %v, %v", many, err)
	}
	page, err := client.Query(t.Context(), &dynamodb.QueryInput{
		TableName: name, KeyConditionExpression: aws.String("#p = :p AND SK >= :from"),
		ExpressionAttributeNames:  map[string]string{"#p": "PK"},
		ExpressionAttributeValues: map[string]types.AttributeValue{":p": s("p"), ":from": s("")},
	})
	if err != nil || len(page.Items) != 2 {
		t.Errorf("got %v, %v", page, err)
	}
	if _, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("other"),
		Key: key("1")}); err == nil {
		t.Error("no error for a table that is not there")
	}
}

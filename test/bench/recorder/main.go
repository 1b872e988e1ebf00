// A function that only says what it is called with, to learn how a state machine calls the function in whose place it
// is.
package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(_ context.Context, event json.RawMessage) (map[string]any, error) {
		fmt.Printf("EVENT %s\n", event)
		return map[string]any{}, nil
	})
}

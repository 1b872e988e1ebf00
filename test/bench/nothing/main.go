// Command nothing is a function that logs a line: the cost of a call itself.
package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(context.Context) error { fmt.Println("called"); return nil })
}

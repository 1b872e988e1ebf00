// A function that only logs a line: what a call costs by itself.
package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(context.Context) error { fmt.Println("called"); return nil })
}

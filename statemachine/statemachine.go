// Package statemachine carries the Step Functions definition of the status checker.
package statemachine

import _ "embed"

// Definition is the Amazon States Language definition (JSONata) as it is deployed. Its ${…} placeholders
// are filled by the stack's definition substitutions.
//
//go:embed status-checker.asl.json
var Definition string

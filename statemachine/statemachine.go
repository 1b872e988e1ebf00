// Package statemachine has the Step Functions definition of the status checker, and the filters of its stream's pipe.
package statemachine

import _ "embed"

// Definition is the deployed Amazon States Language definition (JSONata). The stack's definition substitutions fill its
// ${…} placeholders.
//
//go:embed status-checker.asl.json
var Definition string

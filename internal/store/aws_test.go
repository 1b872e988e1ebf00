//go:build testaws

package store_test

import "snapshot-status-checker/test/aws/dynamodblocal"

func init() { config = dynamodblocal.Config }

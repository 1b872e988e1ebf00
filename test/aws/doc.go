// Package aws compares the project with AWS's own code: DynamoDB Local, event-ruler (the matcher of EventBridge), the
// JSONata version of Step Functions, and the Lambda Runtime Interface Emulator. Whole runs use all of them together.
//
// `make test-aws` runs its tests. They have the build tag testaws, so that `go test ./...` needs no Java.
//
// Versions of the jars are pinned in pom.xml, their checksums in jars.sha256. To update them, change the pom, run
//
//	make test-aws-pin
//
// and compare the new checksums with those of the publisher.
package aws

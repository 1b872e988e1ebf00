// Package aws holds the project against AWS's own code, as `make test-aws` does: DynamoDB Local, event-ruler (the
// matcher that EventBridge runs), the version of JSONata that Step Functions runs, and the Lambda Runtime Interface
// Emulator. Whole runs go through all of them together.
//
// Its tests carry the build tag testaws, so that `go test ./...` needs no Java.
//
// The jars are pinned by the version in pom.xml and by checksum in jars.sha256, each beside the Java program that runs
// them. To move to another version, change the pom and run
//
//	make test-aws-pin
//
// which writes the checksums of what was fetched; compare them with those that the publisher gives.
package aws

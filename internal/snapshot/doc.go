// Package snapshot is the domain of the status checker: messages, collections, runs, and the rules that decide about
// them.
//
// Its functions are pure: no context, no clock, no I/O. The package's table tests are the specification of the rules.
package snapshot

// Package snapshot is the domain of the status checker: messages, collections, runs, and the rules that
// decide what may happen to them.
//
// Everything here is a function of values. There is no context, clock or I/O, so the table tests of this
// package are the specification of the behaviour.
package snapshot

// Package e2e tests the deployed stack from outside: it writes rows and sends messages, and checks the rows, the
// outgoing messages and the notifications. It knows only the stack's outputs.
package e2e

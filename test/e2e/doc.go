// Package e2e holds the tests of the whole system, which drive it as its neighbours do: they put rows into the export
// status table and messages into the file-received queue, and then read the table and at what comes out of the
// other queues and the topic. Nothing of the inside is used; the stack's outputs are all they know.
package e2e

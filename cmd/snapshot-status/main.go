// Command snapshot-status shows people what the runs of a deployed status checker wait for, and mends what can be
// mended by hand. See `snapshot-status --help`.
package main

import "snapshot-status-checker/operator/command"

func main() { command.Main() }

package command

import (
	"fmt"
	"log/slog"
	"net"

	"snapshot-status-checker/operator/page"
	"snapshot-status-checker/operator/show"
)

type serveCommand struct {
	Listen      string   `default:"127.0.0.1:4680" help:"Address and port to listen on; port 0 for a free one."`
	Host        []string `placeholder:"NAME" help:"Another host name of the page; can be repeated."`
	AllowWrites bool     `help:"Allow replaying rejected messages and reconciling. Without it, the page is read-only."`
}

func (c *serveCommand) Help() string {
	return "Serves a page on this machine: runs and what they wait for, collections, executions, rejected messages. " +
		"Press Ctrl-C to end it. The page has no authentication: anyone who can reach the address can read " +
		"everything. Keep it on loopback, or put a proxy with authentication before it."
}

func (c *serveCommand) Run(a *app) error {
	found, err := a.deploymentWith("ExportStatusTableName", "LedgerTableName")
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(a, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listening on %s (another address: --listen): %w", c.Listen, err)
	}
	source := page.NewSource(found)
	source.Command = a.command
	return page.Serve(a, listener, source, page.Options{
		AllowWrites: c.AllowWrites, Hosts: page.HostsOf(listener.Addr(), c.Host),
		Log: slog.New(slog.NewTextHandler(show.Writer(a.err), nil)),
	}, func(address string) { fmt.Fprintf(a.out, "Open %s (Ctrl-C ends it)\n", address) })
}

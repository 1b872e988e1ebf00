package command

import (
	"fmt"
	"log/slog"
	"net"

	"snapshot-status-checker/operator/page"
	"snapshot-status-checker/operator/visible"
)

type serveCommand struct {
	Listen      string   `default:"127.0.0.1:4680" help:"Address and port to listen on; port 0 for a free one. Whoever can reach it can read everything that it shows: leave it on loopback, or put something that asks who one is before it."`
	Host        []string `placeholder:"NAME" help:"Another name that the page may be asked for under, such as that of a proxy before it; any number of them."`
	AllowWrites bool     `help:"Let people put rejected messages back and ask for looks. Without, the pages only show."`
}

func (c *serveCommand) Help() string {
	return "Serves a page on this machine: runs and what they wait for, collections, executions of the state " +
		"machine, rejected messages. Ends with Ctrl-C."
}

func (c *serveCommand) Run(a *app) error {
	found, err := a.deployment()
	if err == nil {
		err = found.Missing("ExportStatusTableName", "LedgerTableName")
	}
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
		Log: slog.New(slog.NewTextHandler(visible.Writer(a.err), nil)),
	}, func(address string) { fmt.Fprintf(a.out, "Open %s (end: Ctrl-C)\n", address) })
}

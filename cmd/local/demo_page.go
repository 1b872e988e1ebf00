package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"

	"snapshot-status-checker/operator/deployment"
	"snapshot-status-checker/operator/page"
)

// showPage serves the page for the local stack on a free port of loopback, as `snapshot-status serve` does, and says
// where the run is shown. The page is there until stop is called.
func showPage(ctx context.Context, run string, out io.Writer) (stop func() error, err error) {
	found, err := deployment.Where{Local: true}.Find(ctx)
	if err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("serving the page: %w", err)
	}
	serving, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- page.Serve(serving, listener, page.NewSource(found),
			page.Options{AllowWrites: true, Hosts: page.HostsOf(listener.Addr(), nil),
				Log: slog.New(slog.DiscardHandler)},
			func(address string) { fmt.Fprintf(out, "\nLook on: %srun?id=%s\n", address, url.QueryEscape(run)) })
	}()
	return func() error { cancel(); return <-ended }, nil
}

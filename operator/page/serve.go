package page

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Serve serves the pages on a listener until the context ends, which is no error. ready is told the address once they
// can be opened.
func Serve(
	ctx context.Context, listener net.Listener, source Source, options Options, ready func(address string),
) error {
	pages, err := New(ctx, source, options)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	server := &http.Server{Handler: pages.Handler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	ready("http://" + listener.Addr().String() + "/")
	select {
	case err = <-ended:
		return fmt.Errorf("serving the pages: %w", err)
	case <-ctx.Done():
	}
	// Those who watch are told by their pollers' end.
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := server.Shutdown(closing); err != nil {
		return server.Close()
	}
	return nil
}

package page

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func TestHostsOfListener(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ listens, given, has, lacks string }{
		"loopback": {"127.0.0.1:4680", "", "127.0.0.1:4680 localhost:4680 [::1]:4680",
			"localhost 127.0.0.1 localhost:80"},
		"all addresses":   {"[::]:4680", "", "[::]:4680 localhost:4680 127.0.0.1:4680", "localhost"},
		"another address": {"192.0.2.7:4680", "", "192.0.2.7:4680", "localhost:4680 192.0.2.7"},
		"proxy": {"127.0.0.1:4680", "Status.example.org", "status.example.org status.example.org:4680 localhost:4680",
			"example.org status.example.org:443 localhost"},
		"proxy on another port": {"127.0.0.1:4680", "status.example.org:8443",
			"status.example.org:8443 status.example.org:4680 status.example.org", "status.example.org:443"},
		"IPv6":             {"127.0.0.1:4680", "2001:DB8::1", "[2001:db8::1] [2001:db8::1]:4680", ""},
		"IPv6 in brackets": {"127.0.0.1:4680", "[2001:db8::1]", "[2001:db8::1] [2001:db8::1]:4680", ""},
		"port of HTTP":     {"127.0.0.1:80", "", "localhost localhost:80 127.0.0.1 [::1]", ""},
		"port of HTTPS": {"192.0.2.7:443", "status.example.org", "192.0.2.7 192.0.2.7:443 status.example.org",
			"localhost"},
	} {
		address, err := net.ResolveTCPAddr("tcp", c.listens)
		if err != nil {
			t.Fatal(err)
		}
		hosts := HostsOf(address, strings.Fields(c.given))
		for _, host := range strings.Fields(c.has) {
			if !slices.Contains(hosts, host) {
				t.Errorf("%s: %v lacks %s", name, hosts, host)
			}
		}
		for _, host := range strings.Fields(c.lacks) {
			if slices.Contains(hosts, host) {
				t.Errorf("%s: %v has %s", name, hosts, host)
			}
		}
	}
}

func TestGuardRefusesForeignRequests(t *testing.T) {
	t.Parallel()
	reading := newServer(t, newSource(newDB(3)), Options{})
	writing := newServer(t, newSource(newDB(3)), Options{AllowWrites: true})
	host := func(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	fetch := func(site, mode, into string) func(*http.Request) {
		return func(r *http.Request) {
			header("Sec-Fetch-Site", site)(r)
			header("Sec-Fetch-Mode", mode)(r)
			header("Sec-Fetch-Dest", into)(r)
		}
	}
	form := url.Values{"run": {runID}}
	for name, c := range map[string]struct {
		server testServer
		method string
		path   string
		form   url.Values
		change func(*http.Request)
		want   int
	}{
		"page":                          {reading, "GET", "/", nil, nil, 200},
		"another host name":             {reading, "GET", "/", nil, host("evil.example:80"), 421},
		"localhost on another port":     {reading, "GET", "/", nil, host("localhost:1"), 421},
		"asset under another host name": {reading, "GET", "/assets/page.js", nil, host("evil.example"), 421},
		"write, read-only":              {reading, "POST", "/reconcile", form, nil, 403},
		"replay, read-only":             {reading, "POST", "/replay", form, nil, 403},
		"abandon, read-only":            {reading, "POST", "/abandon", form, nil, 403},
		"abandon by a link":             {writing, "GET", "/abandon", nil, nil, 405},
		"abandon from another origin": {writing, "POST", "/abandon", form, header("Origin", "https://evil.example"),
			403},
		"abandon under another host name": {writing, "POST", "/abandon", form, host("evil.example"), 421},
		"abandon, no state machine":       {writing, "POST", "/abandon", form, nil, 404},
		"write":                           {writing, "POST", "/reconcile", form, nil, 303},
		"write by a link":                 {writing, "GET", "/reconcile", nil, nil, 405},
		"write from another origin": {writing, "POST", "/reconcile", form, header("Origin", "https://evil.example"),
			403},
		"write from another site": {writing, "POST", "/reconcile", form, header("Sec-Fetch-Site", "cross-site"), 403},
		"link of another site":    {reading, "GET", "/", nil, fetch("cross-site", "navigate", "document"), 200},
		"typed address":           {reading, "GET", "/", nil, fetch("none", "navigate", "document"), 200},
		"own script":              {reading, "GET", "/", nil, fetch("same-origin", "cors", "empty"), 200},
		"image on another site":   {reading, "GET", "/", nil, fetch("cross-site", "no-cors", "image"), 403},
		"frame on another site":   {reading, "GET", "/", nil, fetch("cross-site", "navigate", "iframe"), 403},
		"script on another port":  {reading, "GET", "/", nil, fetch("same-site", "cors", "empty"), 403},
		"unknown run":             {reading, "GET", "/run?id=none", nil, nil, 404},
		"unknown collection":      {reading, "GET", link("/collection", "run", runID, "name", "none"), nil, nil, 404},
		"no state machine":        {reading, "GET", "/execution?id=x", nil, nil, 404},
		"run not UTF-8":           {reading, "GET", "/run?id=caf%e9", nil, nil, 400},
		"collection not UTF-8":    {reading, "GET", "/collection?run=%ff&name=x", nil, nil, 400},
		"form not UTF-8":          {writing, "POST", "/reconcile", url.Values{"run": {"caf\xe9"}}, nil, 400},
	} {
		status, got, text := c.server.send(c.method, c.path, c.form, c.change)
		if status != c.want || status == 400 && !strings.Contains(text, "not UTF-8") {
			t.Errorf("%s: %d, want %d: %s", name, status, c.want, text)
		}
		if policy := got.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") ||
			strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy %q", name, policy)
		}
		for header, want := range map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
			"Referrer-Policy": "no-referrer"} {
			if got.Get(header) != want {
				t.Errorf("%s: %s is %q, want %q", name, header, got.Get(header), want)
			}
		}
	}
}

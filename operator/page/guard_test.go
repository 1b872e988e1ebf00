package page

import (
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHostsOfListener(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ listens, given, want string }{
		"loopback":        {"127.0.0.1:4680", "", "127.0.0.1:4680 [::1]:4680 localhost:4680"},
		"all addresses":   {"[::]:4680", "", "127.0.0.1:4680 [::1]:4680 [::]:4680 localhost:4680"},
		"another address": {"192.0.2.7:4680", "", "192.0.2.7:4680"},
		"proxy": {"192.0.2.7:4680", "Status.example.org",
			"192.0.2.7:4680 status.example.org status.example.org:4680"},
		"proxy on another port": {"192.0.2.7:4680", "Status.example.org:8443",
			"192.0.2.7:4680 status.example.org status.example.org:4680 status.example.org:8443"},
		"IPv6":             {"192.0.2.7:4680", "2001:DB8::1", "192.0.2.7:4680 [2001:db8::1] [2001:db8::1]:4680"},
		"IPv6 in brackets": {"192.0.2.7:4680", "[2001:db8::1]", "192.0.2.7:4680 [2001:db8::1] [2001:db8::1]:4680"},
		"port of HTTP":     {"127.0.0.1:80", "", "127.0.0.1 127.0.0.1:80 [::1] [::1]:80 localhost localhost:80"},
		"port of HTTPS": {"192.0.2.7:443", "status.example.org",
			"192.0.2.7 192.0.2.7:443 status.example.org status.example.org:443"},
	} {
		address, err := net.ResolveTCPAddr("tcp", c.listens)
		if err != nil {
			t.Fatal(err)
		}
		got := HostsOf(address, strings.Fields(c.given))
		if diff := cmp.Diff(strings.Fields(c.want), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestGuardRefusesForeignRequests(t *testing.T) {
	t.Parallel()
	reading := newPages(t, newSource(newDB(3)), Options{})
	writing := newPages(t, newSource(newDB(3)), Options{AllowWrites: true})
	host := func(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }
	fetch := func(site, mode, into string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Site", site)
			r.Header.Set("Sec-Fetch-Mode", mode)
			r.Header.Set("Sec-Fetch-Dest", into)
		}
	}
	origin := func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }
	form := url.Values{"run": {runID}}
	for name, c := range map[string]struct {
		pages  testPages
		method string
		path   string
		form   url.Values
		change func(*http.Request)
		want   int
	}{
		"page":                          {reading, "GET", "/", nil, nil, 200},
		"another host name":             {reading, "GET", "/", nil, host("evil.example"), 421},
		"another port":                  {reading, "GET", "/", nil, host("example.com:1"), 421},
		"asset under another host name": {reading, "GET", "/assets/page.js", nil, host("evil.example"), 421},
		"reconcile, read-only":          {reading, "POST", "/reconcile", form, nil, 403},
		"replay, read-only":             {reading, "POST", "/replay", form, nil, 403},
		"abandon, read-only":            {reading, "POST", "/abandon", form, nil, 403},
		"write":                         {writing, "POST", "/reconcile", form, nil, 303},
		"reconcile by a link":           {writing, "GET", "/reconcile", nil, nil, 405},
		"abandon by a link":             {writing, "GET", "/abandon", nil, nil, 405},
		"write under another host name": {writing, "POST", "/abandon", form, host("evil.example"), 421},
		"write from another origin":     {writing, "POST", "/abandon", form, origin, 403},
		"write from another site":       {writing, "POST", "/abandon", form, fetch("cross-site", "", ""), 403},
		"link of another site":          {reading, "GET", "/", nil, fetch("cross-site", "navigate", "document"), 200},
		"typed address":                 {reading, "GET", "/", nil, fetch("none", "navigate", "document"), 200},
		"own script":                    {reading, "GET", "/", nil, fetch("same-origin", "cors", "empty"), 200},
		"image on another site":         {reading, "GET", "/", nil, fetch("cross-site", "no-cors", "image"), 403},
		"frame on another site":         {reading, "GET", "/", nil, fetch("cross-site", "navigate", "iframe"), 403},
		"script on another port":        {reading, "GET", "/", nil, fetch("same-site", "cors", "empty"), 403},
		"unknown run":                   {reading, "GET", "/run?id=none", nil, nil, 404},
		"unknown collection": {reading, "GET", link("/collection", "run", runID, "name", "x"), nil, nil,
			404},
		"no state machine":          {reading, "GET", "/execution?id=x", nil, nil, 404},
		"abandon, no state machine": {writing, "POST", "/abandon", form, nil, 404},
		"run not UTF-8":             {reading, "GET", "/run?id=caf%e9", nil, nil, 400},
		"form not UTF-8":            {writing, "POST", "/reconcile", url.Values{"run": {"caf\xe9"}}, nil, 400},
	} {
		got := c.pages.send(c.method, c.path, c.form, c.change)
		if got.status != c.want || got.status == 400 && !strings.Contains(got.text, "not UTF-8") {
			t.Errorf("%s: %d, want %d: %s", name, got.status, c.want, got.text)
		}
		policy := got.header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy %q", name, policy)
		}
		for header, want := range map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
			"Referrer-Policy": "no-referrer"} {
			if got.header.Get(header) != want {
				t.Errorf("%s: %s is %q, want %q", name, header, got.header.Get(header), want)
			}
		}
	}
}

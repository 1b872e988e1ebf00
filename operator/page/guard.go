package page

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// policy lets the browser load and run only what this server sends, and forbids frames.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

const (
	wrongHost = "This page is not served under that host name. Open the address that snapshot-status serve printed, " +
		"or allow the name with --host."
	crossSiteRequest = "Another site requested this. Open it directly."
	invalidText      = "A value of this request is not UTF-8, so nothing stored has it."
	readOnly         = "These pages are read-only. Start snapshot-status serve with --allow-writes."
)

// guard refuses requests under another host name (DNS rebinding lets a site read the answers otherwise) and all
// requests of other sites but links. It sets the headers that make browsers strict.
func (s *Server) guard(next http.Handler) http.Handler {
	sameOrigin := http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range map[string]string{
			"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
			"Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store",
		} {
			w.Header().Set(name, value)
		}
		switch {
		case !slices.Contains(s.Hosts, strings.ToLower(r.Host)):
			http.Error(w, wrongHost, http.StatusMisdirectedRequest)
		case crossSite(r):
			http.Error(w, crossSiteRequest, http.StatusForbidden)
		case !isText(r.URL.Query()):
			http.Error(w, invalidText, http.StatusBadRequest)
		default:
			sameOrigin.ServeHTTP(w, r)
		}
	})
}

// crossSite reports whether another site's page made the request, and not a person who followed a link. It matters for
// reads, too: reading rejected messages hides them from other readers. Browsers send these headers, other clients none.
func crossSite(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
		return false
	}
	into := r.Header.Get("Sec-Fetch-Dest")
	return r.Header.Get("Sec-Fetch-Mode") != "navigate" || into != "" && into != "document"
}

// HostsOf lists the host names under which a listener's pages may be requested: its address, the names of loopback for
// a loopback address, and the given names. These also without a port: browsers leave out the port of a proxy if it is
// the protocol's.
func HostsOf(address net.Addr, names []string) []string {
	listens, err := netip.ParseAddrPort(address.String())
	if err != nil {
		return nil
	}
	port := strconv.Itoa(int(listens.Port()))
	own := []string{listens.Addr().String()}
	if listens.Addr().IsLoopback() || listens.Addr().IsUnspecified() {
		own = append(own, "localhost", "127.0.0.1", "::1")
	}
	var hosts []string
	add := func(name string, bare bool) {
		withPort := strings.ToLower(net.JoinHostPort(name, port))
		hosts = append(hosts, withPort)
		if bare || port == "80" || port == "443" {
			hosts = append(hosts, strings.TrimSuffix(withPort, ":"+port))
		}
	}
	for _, name := range own {
		add(name, false)
	}
	for _, name := range names {
		if given, _, err := net.SplitHostPort(name); err == nil {
			hosts = append(hosts, strings.ToLower(name))
			name = given
		}
		add(strings.Trim(name, "[]"), true)
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// isText reports whether all values are UTF-8. Others would reach the tables changed and name something else there.
func isText(query url.Values) bool {
	for _, values := range query {
		if !utf8.ValidString(strings.Join(values, " ")) {
			return false
		}
	}
	return true
}

// write handles a request that changes something, and redirects to the address that change returns.
func (s *Server) write(change func(*http.Request) (string, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !s.AllowWrites {
			http.Error(w, readOnly, http.StatusForbidden)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
		if err := r.ParseForm(); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if !isText(r.PostForm) {
			http.Error(w, invalidText, http.StatusBadRequest)
			return
		}
		target, err := change(r)
		if err != nil {
			s.respond(w, r, view{}, err)
			return
		}
		http.Redirect(w, r, target, http.StatusSeeOther)
	}
}

package page

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// policy lets the browser load and run nothing but what this server sends, and nobody frame it.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guard refuses requests that name another host (a page on the internet whose name was made to point here could read
// the answers otherwise) and whatever another site's page asks for but a link to here, and tells browsers to be strict.
func (s *Server) guard(next http.Handler) http.Handler {
	sameOrigin := http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("X-Frame-Options", "DENY")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Cache-Control", "no-store")
		if !slices.Contains(s.Hosts, strings.ToLower(r.Host)) {
			http.Error(w, "This page is not served under that name. Open it under the address that snapshot-status "+
				"serve printed, or name the host with --host.", http.StatusMisdirectedRequest)
			return
		}
		if foreign(r) {
			http.Error(w, "Another site's page asked for this. Open it by itself.", http.StatusForbidden)
			return
		}
		if !isText(r.URL.Query()) {
			http.Error(w, notText, http.StatusBadRequest)
			return
		}
		sameOrigin.ServeHTTP(w, r)
	})
}

// foreign reports whether another site's page asks for something without a person being led to it: reading rejected
// messages hides them from others for a moment, also if nobody sees the answer. Browsers say so of each request, other
// clients nothing.
func foreign(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
		return false
	}
	into := r.Header.Get("Sec-Fetch-Dest")
	return r.Header.Get("Sec-Fetch-Mode") != "navigate" || into != "" && into != "document"
}

// HostsOf lists the names that a listener's pages may be asked for under: its address, what a loopback one is called,
// and those given. These also as they are: a proxy before the listener has a port of its own, which browsers leave out
// if it is their protocol's.
func HostsOf(address net.Addr, names []string) []string {
	host, port, err := net.SplitHostPort(address.String())
	if err != nil {
		return nil
	}
	var hosts []string
	add := func(name string) {
		hosts = append(hosts, strings.ToLower(net.JoinHostPort(name, port)))
		if port == "80" || port == "443" {
			hosts = append(hosts, bare(name))
		}
	}
	add(host)
	if ip := net.ParseIP(host); ip != nil && (ip.IsLoopback() || ip.IsUnspecified()) {
		add("localhost")
		add("127.0.0.1")
		add("::1")
	}
	for _, name := range names {
		if given, _, err := net.SplitHostPort(name); err == nil {
			hosts = append(hosts, strings.ToLower(name))
			name = given
		}
		name = strings.Trim(name, "[]")
		add(name)
		hosts = append(hosts, bare(name))
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// bare is a name without a port, as it stands in an address.
func bare(name string) string {
	if strings.Contains(name, ":") {
		name = "[" + name + "]"
	}
	return strings.ToLower(name)
}

const notText = "A value of this request is not UTF-8, so it names nothing that is stored."

// isText tells whether all values are UTF-8. Others would be changed on their way to the tables, and name something
// else there.
func isText(values url.Values) bool {
	for _, some := range values {
		if slices.ContainsFunc(some, func(value string) bool { return !utf8.ValidString(value) }) {
			return false
		}
	}
	return true
}

const onlyShow = "These pages only show. Start snapshot-status serve with --allow-writes."

// write lets a request through that changes something, if this server may.
func (s *Server) write(do func(*http.Request) (string, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !s.AllowWrites {
			http.Error(w, onlyShow, http.StatusForbidden)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
		if err := r.ParseForm(); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if !isText(r.PostForm) {
			http.Error(w, notText, http.StatusBadRequest)
			return
		}
		back, err := do(r)
		if err != nil {
			s.respond(w, r, view{}, err)
			return
		}
		http.Redirect(w, r, back, http.StatusSeeOther)
	}
}

package page

import (
	"net"
	"slices"
	"strings"
	"testing"
)

func TestHostsOf(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, listens, given, has, lacks string }{
		{"Loopback", "127.0.0.1:4680", "", "127.0.0.1:4680 localhost:4680 [::1]:4680",
			"localhost 127.0.0.1 localhost:80"},
		{"AllAddresses", "[::]:4680", "", "[::]:4680 localhost:4680 127.0.0.1:4680", "localhost"},
		{"AnotherAddress", "192.0.2.7:4680", "", "192.0.2.7:4680", "localhost:4680 192.0.2.7"},
		{"BehindAProxy", "127.0.0.1:4680", "Status.example.org",
			"status.example.org status.example.org:4680 localhost:4680",
			"example.org status.example.org:443 localhost"},
		{"BehindAProxyOnAnotherPort", "127.0.0.1:4680", "status.example.org:8443",
			"status.example.org:8443 status.example.org:4680 status.example.org", "status.example.org:443"},
		{"AnAddressOfIPv6", "127.0.0.1:4680", "2001:DB8::1", "[2001:db8::1] [2001:db8::1]:4680", ""},
		{"AnAddressOfIPv6InBrackets", "127.0.0.1:4680", "[2001:db8::1]", "[2001:db8::1] [2001:db8::1]:4680", ""},
		{"PortOfHTTP", "127.0.0.1:80", "", "localhost localhost:80 127.0.0.1 [::1]", ""},
		{"PortOfHTTPS", "192.0.2.7:443", "status.example.org", "192.0.2.7 192.0.2.7:443 status.example.org",
			"localhost"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			address, err := net.ResolveTCPAddr("tcp", test.listens)
			if err != nil {
				t.Fatal(err)
			}
			hosts := HostsOf(address, strings.Fields(test.given))
			for _, name := range strings.Fields(test.has) {
				if !slices.Contains(hosts, name) {
					t.Errorf("%v lacks %s", hosts, name)
				}
			}
			for _, name := range strings.Fields(test.lacks) {
				if slices.Contains(hosts, name) {
					t.Errorf("%v has %s", hosts, name)
				}
			}
		})
	}
}

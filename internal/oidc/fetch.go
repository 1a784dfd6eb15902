package oidc

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

const (
	// patience is how long one request may take, answer and all (V56); mostAnswer how many bytes the answer may have.
	patience      = 2 * time.Second
	mostAnswer    = 1 << 20
	mostRedirects = 3
)

var (
	errHost   = errors.New("redirected to another host")
	errScheme = errors.New("not an https address")
	errInside = errors.New("an address within a network, not on the internet")
	errSize   = errors.New("the answer is longer than 1 MB")
)

// NewHTTP returns the client for everything that goes to providers: TLS only, no addresses within a network, no redirects
// to other hosts, two seconds, a megabyte (V56). loopback lets it ask this machine too, also without TLS, for providers
// that run beside a developer or a test; a deployed function must not.
func NewHTTP(loopback bool) *http.Client {
	return newHTTP(loopback, patience)
}

func newHTTP(loopback bool, patience time.Duration) *http.Client {
	dialer := &net.Dialer{Timeout: patience, Control: func(_, address string, _ syscall.RawConn) error {
		// Asked of the address itself, after the name was resolved: a name can lead anywhere, and elsewhere the second time.
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		if ip := at.Addr().Unmap(); !public(ip) && (!loopback || !ip.IsLoopback()) {
			return fmt.Errorf("%s: %w", ip, errInside)
		}
		return nil
	}}
	return &http.Client{
		Timeout: patience,
		Transport: bounded{loopback, &http.Transport{
			DialContext: dialer.DialContext, ForceAttemptHTTP2: true, TLSHandshakeTimeout: patience,
			MaxResponseHeaderBytes: 64 << 10, IdleConnTimeout: 90 * time.Second, MaxIdleConns: 10,
		}},
		CheckRedirect: func(to *http.Request, via []*http.Request) error {
			if to.URL.Host != via[0].URL.Host || len(via) > mostRedirects {
				return errHost
			}
			return nil
		},
	}
}

// public reports whether an address is one of the internet's.
func public(ip netip.Addr) bool {
	for _, reserved := range inside {
		if reserved.Contains(ip) {
			return false
		}
	}
	return ip.IsGlobalUnicast() && !ip.IsPrivate()
}

// inside is what IsGlobalUnicast and IsPrivate let pass: shared, benchmarking and documentation ranges, and translations of
// IPv4 into IPv6 (RFC 6890, RFC 6052), which would lead back inside.
var inside = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("2001::/32"),
}

// bounded refuses requests without TLS and cuts answers off.
type bounded struct {
	loopback bool
	next     http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" && !b.loopback {
		return nil, errScheme
	}
	answer, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer.Body = &capped{answer.Body, mostAnswer}
	return answer, nil
}

// capped is a body that fails once it is too long; a plain limit would pass half an answer off as the whole.
type capped struct {
	io.ReadCloser
	left int64
}

// Read implements io.Reader.
func (c *capped) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	if c.left -= int64(n); c.left < 0 {
		return 0, errSize
	}
	return n, err
}

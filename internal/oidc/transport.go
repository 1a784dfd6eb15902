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
	// requestTimeout bounds one request, reading the response included (V56); maxResponse bounds the response in bytes.
	requestTimeout = 2 * time.Second
	maxResponse    = 1 << 20
	maxRedirects   = 3
)

var (
	errHost           = errors.New("redirected to another host")
	errScheme         = errors.New("not an https address")
	errPrivateAddress = errors.New("a private address, not on the internet")
	errSize           = errors.New("the response is longer than 1 MB")
)

// NewHTTP returns the client for all requests to providers: TLS only, no private addresses, no redirects to other
// hosts, two seconds, a megabyte (V56). loopback allows requests to this machine too, also without TLS, for providers
// of developers and tests. A deployed function must not allow it.
func NewHTTP(loopback bool) *http.Client {
	return newHTTP(loopback, requestTimeout)
}

func newHTTP(loopback bool, timeout time.Duration) *http.Client {
	dialer := &net.Dialer{Timeout: timeout, Control: func(_, address string, _ syscall.RawConn) error {
		// The resolved address is checked, because a name can resolve to any address, and to another one the second time.
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		if ip := at.Addr().Unmap(); !isPublic(ip) && (!loopback || !ip.IsLoopback()) {
			return fmt.Errorf("%s: %w", ip, errPrivateAddress)
		}
		return nil
	}}
	return &http.Client{
		Timeout: timeout,
		Transport: limitedTransport{loopback, &http.Transport{
			DialContext: dialer.DialContext, ForceAttemptHTTP2: true, TLSHandshakeTimeout: timeout,
			MaxResponseHeaderBytes: 64 << 10, IdleConnTimeout: 90 * time.Second, MaxIdleConns: 10,
		}},
		CheckRedirect: func(to *http.Request, via []*http.Request) error {
			if to.URL.Host != via[0].URL.Host || len(via) > maxRedirects {
				return errHost
			}
			return nil
		},
	}
}

// isPublic reports whether an address is on the internet.
func isPublic(ip netip.Addr) bool {
	for _, reserved := range reservedPrefixes {
		if reserved.Contains(ip) {
			return false
		}
	}
	return ip.IsGlobalUnicast() && !ip.IsPrivate()
}

// reservedPrefixes are the ranges that IsGlobalUnicast and IsPrivate miss: shared, benchmarking and documentation
// ranges, and translations of IPv4 into IPv6 (RFC 6890, RFC 6052), which could lead to private addresses.
var reservedPrefixes = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("2001::/32"),
}

// limitedTransport refuses requests without TLS and bounds responses.
type limitedTransport struct {
	loopback bool
	next     http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (b limitedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" && !b.loopback {
		return nil, errScheme
	}
	answer, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer.Body = &limitedBody{answer.Body, maxResponse}
	return answer, nil
}

// limitedBody fails if its body is too long. io.LimitReader would return a part of it as if it were the whole.
type limitedBody struct {
	io.ReadCloser
	left int64
}

// Read implements io.Reader.
func (c *limitedBody) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	if c.left -= int64(n); c.left < 0 {
		return 0, errSize
	}
	return n, err
}

// Package breach asks whether a password is among breached ones, with the range (k-anonymity) protocol of Have I Been
// Pwned. Five hex digits of its SHA-1 leave this system, and neither the password nor its whole digest.
package breach

import (
	"bufio"
	"context"
	"crypto/sha1" //nolint:gosec // what the protocol says; it hides nothing here
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"useraccounts/internal/account"
)

var _ account.BreachChecker = (*Client)(nil)

const (
	// timeout is for one request, maxResponseSize is how much of an answer is read. A padded answer of the public service
	// has about 40 KB.
	timeout         = 2 * time.Second
	maxResponseSize = 1 << 20
)

// Client asks a range service.
type Client struct {
	base       string
	httpClient *http.Client
	// onUnavailable is told why the service could not be asked, without anything about the password.
	onUnavailable func(error)
}

// New returns a Client of a service. Its address, followed by five hex digits, is that of a range. An empty address
// turns the check off: the result is nil. The address has to be https, except on this machine (127.0.0.1).
func New(address string, onUnavailable func(error)) (account.BreachChecker, error) {
	if address == "" {
		return nil, nil //nolint:nilnil // off
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil ||
		u.Scheme != "https" && (u.Scheme != "http" || u.Hostname() != "127.0.0.1") {
		return nil, errors.New("breach: the address of the ranges has to be https, without a query")
	}
	return &Client{base: strings.TrimSuffix(address, "/") + "/", onUnavailable: onUnavailable, httpClient: &http.Client{
		Timeout: timeout,
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > 2 || r.URL.Host != via[0].URL.Host || r.URL.Scheme != via[0].URL.Scheme {
				return errors.New("redirected elsewhere")
			}
			return nil
		},
	}}, nil
}

// MustNew is New for the start of a function: it panics on a wrong address, and logs when the service is unavailable.
func MustNew(address string, log *slog.Logger) account.BreachChecker {
	ranges, err := New(address, func(err error) {
		log.Warn("breached passwords are not checked", "error", err.Error())
	})
	if err != nil {
		panic(err)
	}
	return ranges
}

// IsBreached implements account.BreachChecker. A service that is unavailable, slow or wrong keeps nobody from choosing
// a password (V05).
func (r *Client) IsBreached(ctx context.Context, password string) bool {
	sum := sha1.Sum([]byte(norm.NFC.String(password))) //nolint:gosec // as above
	digest := strings.ToUpper(hex.EncodeToString(sum[:]))
	known, err := r.search(ctx, digest[:5], digest[5:])
	if err != nil {
		r.onUnavailable(err)
		return false
	}
	return known
}

func (r *Client) search(ctx context.Context, prefix, rest string) (bool, error) {
	ctx, stop := context.WithTimeout(ctx, timeout)
	defer stop()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.base+prefix, http.NoBody)
	if err != nil {
		return false, errors.New("no such address")
	}
	request.Header.Set("Add-Padding", "true")
	request.Header.Set("User-Agent", "user-accounts")
	answer, err := r.httpClient.Do(request)
	if err != nil {
		return false, withoutAddress(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return false, errors.New("the service answers " + strconv.Itoa(answer.StatusCode))
	}
	limited := &io.LimitedReader{R: answer.Body, N: maxResponseSize + 1}
	found := false
	// The whole answer is read, so that the time it takes does not tell where in it the digest is.
	lines := bufio.NewScanner(limited)
	for lines.Scan() {
		digest, count, ok := strings.Cut(strings.TrimSpace(lines.Text()), ":")
		n, err := strconv.ParseUint(count, 10, 63)
		if !ok || err != nil || len(digest) != len(rest) {
			return false, errors.New("the answer is not a range")
		}
		// Padding has a count of 0.
		found = found || n > 0 && strings.EqualFold(digest, rest)
	}
	if err := lines.Err(); err != nil {
		return false, withoutAddress(err)
	}
	if limited.N == 0 {
		return false, errors.New("the answer is too long")
	}
	return found, nil
}

// withoutAddress removes the address, which has the five digits, from an error.
func withoutAddress(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.New("the service is too slow")
	}
	return errors.New("the service is unreachable or the connection was lost")
}

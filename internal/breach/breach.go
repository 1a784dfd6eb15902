// Package breach asks whether a password is among published ones, by the range protocol of Have I Been Pwned: five hex
// digits of its SHA-1 leave this system, and neither the password nor its whole digest does.
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
	// timeout is how long an answer is waited for; largest how much of one is read. A padded answer of the public service
	// has about 40 KB.
	timeout         = 2 * time.Second
	maxResponseSize = 1 << 20
)

// Client asks a service of ranges.
type Client struct {
	base       string
	httpClient *http.Client
	// onUnavailable is told, without a word about the password, that the service could not be asked.
	onUnavailable func(error)
}

// New returns Ranges over a service whose address, followed by five hex digits, is that of a range; nil for an empty
// address, which is the check turned off. The address has to be https, but for one of this machine's own.
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

// MustNew is New for a function's start, which a wrong address ends. What is away is logged.
func MustNew(address string, log *slog.Logger) account.BreachChecker {
	ranges, err := New(address, func(err error) {
		log.Warn("published passwords are not asked about", "error", err.Error())
	})
	if err != nil {
		panic(err)
	}
	return ranges
}

// IsBreached implements account.BreachChecker. A service that is away, slow or wrong means that nothing is known:
// nobody is kept from choosing a password by it (V05).
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
	// The whole answer is read before it counts, so that its time does not tell where in it the digest is.
	lines := bufio.NewScanner(limited)
	for lines.Scan() {
		digest, count, ok := strings.Cut(strings.TrimSpace(lines.Text()), ":")
		n, err := strconv.ParseUint(count, 10, 63)
		if !ok || err != nil || len(digest) != len(rest) {
			return false, errors.New("the answer is no range")
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

// withoutAddress takes the address, which has the five digits, out of an error.
func withoutAddress(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.New("the service is too slow")
	}
	return errors.New("the service cannot be reached or breaks off")
}

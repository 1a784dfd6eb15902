// Package breach asks whether a password is among published ones, by the range protocol of Have I Been Pwned: five hex digits
// of its SHA-1 leave this system, and neither the password nor its whole digest does.
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

var _ account.Breaches = (*Ranges)(nil)

const (
	// patience is how long an answer is waited for; largest how much of one is read. A padded answer of the public service
	// has about 40 KB.
	patience = 2 * time.Second
	largest  = 1 << 20
)

// Ranges asks a service of ranges.
type Ranges struct {
	base   string
	client *http.Client
	// away is told, without a word about the password, that the service could not be asked.
	away func(error)
}

// New returns Ranges over a service whose address, followed by five hex digits, is that of a range; nil for an empty address,
// which is the check turned off. The address has to be https, but for one of this machine's own.
func New(address string, away func(error)) (account.Breaches, error) {
	if address == "" {
		return nil, nil //nolint:nilnil // off
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil ||
		u.Scheme != "https" && (u.Scheme != "http" || u.Hostname() != "127.0.0.1") {
		return nil, errors.New("breach: the address of the ranges has to be https, without a query")
	}
	return &Ranges{base: strings.TrimSuffix(address, "/") + "/", away: away, client: &http.Client{
		Timeout: patience,
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > 2 || r.URL.Host != via[0].URL.Host || r.URL.Scheme != via[0].URL.Scheme {
				return errors.New("redirected elsewhere")
			}
			return nil
		},
	}}, nil
}

// MustNew is New for a function's start, which a wrong address ends. What is away is logged.
func MustNew(address string, log *slog.Logger) account.Breaches {
	ranges, err := New(address, func(err error) {
		log.Warn("published passwords are not asked about", "error", err.Error())
	})
	if err != nil {
		panic(err)
	}
	return ranges
}

// Known implements account.Breaches. A service that is away, slow or wrong means that nothing is known: nobody is kept from
// choosing a password by it (V05).
func (r *Ranges) Known(ctx context.Context, password string) bool {
	sum := sha1.Sum([]byte(norm.NFC.String(password))) //nolint:gosec // as above
	digest := strings.ToUpper(hex.EncodeToString(sum[:]))
	known, err := r.ask(ctx, digest[:5], digest[5:])
	if err != nil {
		r.away(err)
		return false
	}
	return known
}

func (r *Ranges) ask(ctx context.Context, prefix, rest string) (bool, error) {
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.base+prefix, http.NoBody)
	if err != nil {
		return false, errors.New("no such address")
	}
	request.Header.Set("Add-Padding", "true")
	request.Header.Set("User-Agent", "user-accounts")
	answer, err := r.client.Do(request)
	if err != nil {
		return false, cause(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return false, errors.New("the service answers " + strconv.Itoa(answer.StatusCode))
	}
	limited := &io.LimitedReader{R: answer.Body, N: largest + 1}
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
		return false, cause(err)
	}
	if limited.N == 0 {
		return false, errors.New("the answer is too long")
	}
	return found, nil
}

// cause takes the address, which has the five digits, out of an error.
func cause(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.New("the service is too slow")
	}
	return errors.New("the service cannot be reached or breaks off")
}

package sso

import (
	"context"
	"errors"
	"hash/maphash"
	"io"
	"strings"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/fault"
)

const (
	// MostFile is how many bytes a file of links may have.
	MostFile = 10 << 20
	// MostAtATime is how many of its lines one call goes through.
	MostAtATime = 1000
	// FormLife is how long a form takes a file (V68).
	FormLife = 5 * time.Minute
)

// FileStore keeps files of links for a day.
type FileStore interface {
	// Form returns where and with which fields a browser or curl posts a CSV file of at most most bytes, until expires.
	Form(ctx context.Context, key string, most int64, expires time.Duration) (url string, fields map[string]string, err error)
	// Newest returns the version of a file that was posted last; NotFound.
	Newest(ctx context.Context, key string) (string, error)
	// Read returns one version of a file; NotFound.
	Read(ctx context.Context, key, version string) (io.ReadCloser, error)
}

// Files links people by CSV files: email, object_id. A file belongs to who posted it.
type Files struct {
	Links *Links
	Store FileStore
	Now   func() time.Time
	NewID func() string
}

// Form is where a file is posted to.
type Form struct {
	FileID  string
	URL     string
	Fields  map[string]string
	Expires time.Time
}

func fileKey(sc access.Scope, fileID string) string {
	return "sso/" + sc.Env.ID + "/" + sc.Caller.AccountID + "/" + fileID + ".csv"
}

// Begin returns a form for a file of people of a provider.
func (s *Files) Begin(ctx context.Context, sc access.Scope, providerID string) (Form, error) {
	if _, err := s.Links.Providers.Get(ctx, sc.Env.ID, providerID); err != nil {
		return Form{}, err
	}
	f := Form{FileID: s.NewID(), Expires: s.Now().Add(FormLife)}
	var err error
	f.URL, f.Fields, err = s.Store.Form(ctx, fileKey(sc, f.FileID), MostFile, FormLife)
	return f, err
}

// Asked names lines of a file.
type Asked struct {
	ProviderID, FileID string
	// Version is the file's as a check returned it; empty for the newest.
	Version string
	// From is the line to begin at, 0 for the first.
	From int
}

// Part is what some lines of a file come to.
type Part struct {
	Version string
	// Lines is how many lines the whole file has; Next is the line where the next part begins, 0 after the last.
	Lines, Next int
	Items       []LineResult
}

// LineResult is what became, or would become, of one line.
type LineResult struct {
	Line int
	Matched
}

// Check says for up to MostAtATime lines what linking them would do.
func (s *Files) Check(ctx context.Context, sc access.Scope, a Asked) (Part, error) {
	return s.part(ctx, sc, a, s.Links.Match)
}

// Apply links what can be linked of up to MostAtATime lines of a version that was checked.
func (s *Files) Apply(ctx context.Context, sc access.Scope, a Asked) (Part, error) {
	return s.part(ctx, sc, a, s.Links.LinkAll)
}

func (s *Files) part(ctx context.Context, sc access.Scope, a Asked, do func(context.Context, access.Scope, Provider, []Pair) ([]Matched, error)) (Part, error) {
	p, err := s.Links.Providers.Get(ctx, sc.Env.ID, a.ProviderID)
	if err != nil {
		return Part{}, err
	}
	w, err := s.window(ctx, sc, &a)
	if err != nil {
		return Part{}, err
	}
	out := Part{Version: a.Version, Lines: w.lines, Next: w.next, Items: make([]LineResult, len(w.part))}
	var pairs []Pair
	var at []int
	for i, line := range w.part {
		m := Matched{Pair: Pair{Email: line.Email, ObjectID: line.ObjectID}}
		if line.Bad != nil {
			m.Outcome, m.Detail = Unusable, line.Bad.Message
		} else if m.Detail = w.twice(line); m.Detail != "" {
			m.Outcome = TwoAccounts
		} else {
			pairs, at = append(pairs, m.Pair), append(at, i)
		}
		out.Items[i] = LineResult{line.Number, m}
	}
	matched, err := do(ctx, sc, p, pairs)
	if err != nil {
		return Part{}, err
	}
	for i, m := range matched {
		out.Items[at[i]].Matched = m
	}
	return out, nil
}

// window reads the file and keeps the lines asked for.
func (s *Files) window(ctx context.Context, sc access.Scope, a *Asked) (*window, error) {
	missing := func(err error) error {
		if fault.Is(err, fault.NotFound) {
			return fault.New(fault.NotFound, "noFile", "There is no such file: it was not posted yet, is older than a day, or is another person's.").Because(err)
		}
		return err
	}
	key := fileKey(sc, a.FileID)
	if a.Version == "" {
		newest, err := s.Store.Newest(ctx, key)
		if err != nil {
			return nil, missing(err)
		}
		a.Version = newest
	}
	content, err := s.Store.Read(ctx, key, a.Version)
	if err != nil {
		return nil, missing(err)
	}
	w, err := readWindow(&capped{content, MostFile}, a.From, MostAtATime)
	return w, errors.Join(err, content.Close())
}

// window is some lines of a file, judged by all of it. Of the other lines no more than two hashes stay in memory.
type window struct {
	part        []Line
	lines, next int
	seed        maphash.Seed
	// ids has by an email's hash that of its object id, emails the other way round; 0 once there are two.
	ids, emails map[uint64]uint64
}

// readWindow reads a whole file and keeps up to most lines from one on.
func readWindow(r io.Reader, from, most int) (*window, error) {
	w := &window{seed: maphash.MakeSeed(), ids: map[uint64]uint64{}, emails: map[uint64]uint64{}}
	for line, err := range ReadCSV(r) {
		if err != nil {
			return nil, err
		}
		w.lines++
		switch {
		case line.Number < from:
		case len(w.part) < most:
			w.part = append(w.part, line)
		case w.next == 0:
			w.next = line.Number
		}
		if line.Bad == nil {
			email, id := w.hashes(line)
			stands(w.ids, email, id)
			stands(w.emails, id, email)
		}
	}
	return w, nil
}

func (w *window) hashes(line Line) (email, id uint64) {
	normal := strings.ToLower(line.Email)
	if strings.ContainsFunc(normal, func(r rune) bool { return r <= ' ' || r > '~' }) { // else it is its own normal form, at a tenth of the work
		if is, ok := account.Normalise(line.Email); ok {
			normal = is
		}
	}
	// The lowest bit keeps 0 free for "two".
	return maphash.String(w.seed, normal) | 1, maphash.String(w.seed, line.ObjectID) | 1
}

func stands(beside map[uint64]uint64, one, other uint64) {
	if was, there := beside[one]; there && was != other {
		other = 0
	}
	beside[one] = other
}

// twice says that a line's email or object id stands beside two of the other kind within the file.
func (w *window) twice(line Line) string {
	email, id := w.hashes(line)
	switch {
	case w.ids[email] == 0:
		return "This email stands beside two object ids in the file. Leave the wrong one out."
	case w.emails[id] == 0:
		return "This object id stands beside two emails in the file. Leave the wrong one out."
	}
	return ""
}

// capped is a file that fails once it is too long; a plain limit would pass half of it off as the whole.
type capped struct {
	io.Reader
	left int
}

// Read implements io.Reader.
func (c *capped) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if c.left -= n; c.left < 0 {
		return 0, badFile("tooLarge", "The file is larger than 10 MB. Split it into smaller files.")
	}
	return n, err
}

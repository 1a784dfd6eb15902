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
	// MaxFileSize is the maximum size of a file of links in bytes.
	MaxFileSize = 10 << 20
	// MaxRowsPerCall is the maximum number of its rows that one call processes.
	MaxRowsPerCall = 1000
	// FormLifetime is how long an upload form is valid (V68).
	FormLifetime = 5 * time.Minute
)

// FileStore stores files of links for a day.
type FileStore interface {
	// UploadForm returns the address and fields with which a browser or curl posts a CSV file of at most most bytes.
	UploadForm(ctx context.Context, key string, most int64, expires time.Duration) (url string, fields map[string]string,
		err error)
	// LatestVersion returns the latest version of a file; NotFound if there is none.
	LatestVersion(ctx context.Context, key string) (string, error)
	// Open returns the content of one version of a file; NotFound if there is none.
	Open(ctx context.Context, key, version string) (io.ReadCloser, error)
}

// LinkFiles links accounts by CSV files with email and object_id. A file belongs to the caller who posted it.
type LinkFiles struct {
	Identities *Identities
	Store      FileStore
	Now        func() time.Time
	NewID      func() string
}

// UploadForm is the form with which a file is posted.
type UploadForm struct {
	FileID  string
	URL     string
	Fields  map[string]string
	Expires time.Time
}

func fileKey(sc access.Scope, fileID string) string {
	return "sso/" + sc.Env.ID + "/" + sc.Caller.AccountID + "/" + fileID + ".csv"
}

// BeginUpload returns an upload form for a provider's file of links.
func (s *LinkFiles) BeginUpload(ctx context.Context, sc access.Scope, providerID string) (UploadForm, error) {
	if _, err := s.Identities.Providers.Get(ctx, sc.Env.ID, providerID); err != nil {
		return UploadForm{}, err
	}
	f := UploadForm{FileID: s.NewID(), Expires: s.Now().Add(FormLifetime)}
	var err error
	f.URL, f.Fields, err = s.Store.UploadForm(ctx, fileKey(sc, f.FileID), MaxFileSize, FormLifetime)
	return f, err
}

// FileRange selects rows of a file.
type FileRange struct {
	ProviderID, FileID string
	// Version is the file's version as a check returned it; empty for the latest.
	Version string
	// From is the line to start from, 0 for the first.
	From int
}

// FileResult is the result for some rows of a file.
type FileResult struct {
	Version string
	// Rows is the number of rows of the whole file; Next is the line where the next range starts, 0 after the last.
	Rows, Next int
	Items      []RowResult
}

// RowResult is the result, or expected result, of one row.
type RowResult struct {
	Line int
	MatchResult
}

// Check returns for up to MaxRowsPerCall rows what linking them would do.
func (s *LinkFiles) Check(ctx context.Context, sc access.Scope, a FileRange) (FileResult, error) {
	return s.process(ctx, sc, a, s.Identities.Match)
}

// Apply links up to MaxRowsPerCall rows of a version that was checked, where possible.
func (s *LinkFiles) Apply(ctx context.Context, sc access.Scope, a FileRange) (FileResult, error) {
	return s.process(ctx, sc, a, s.Identities.LinkAll)
}

func (s *LinkFiles) process(ctx context.Context, sc access.Scope, a FileRange,
	do func(context.Context, access.Scope, Provider, []Pair) ([]MatchResult, error),
) (FileResult, error) {
	p, err := s.Identities.Providers.Get(ctx, sc.Env.ID, a.ProviderID)
	if err != nil {
		return FileResult{}, err
	}
	w, err := s.readRows(ctx, sc, &a)
	if err != nil {
		return FileResult{}, err
	}
	out := FileResult{Version: a.Version, Rows: w.total, Next: w.next, Items: make([]RowResult, len(w.rows))}
	var pairs []Pair
	var indexes []int
	for i, row := range w.rows {
		m := MatchResult{Pair: Pair{Email: row.Email, ObjectID: row.ObjectID}}
		if row.Fault != nil {
			m.Outcome, m.Detail = Unusable, row.Fault.Message
		} else if m.Detail = w.ambiguity(row); m.Detail != "" {
			m.Outcome = TwoAccounts
		} else {
			pairs, indexes = append(pairs, m.Pair), append(indexes, i)
		}
		out.Items[i] = RowResult{row.Number, m}
	}
	matched, err := do(ctx, sc, p, pairs)
	if err != nil {
		return FileResult{}, err
	}
	for i, m := range matched {
		out.Items[indexes[i]].MatchResult = m
	}
	return out, nil
}

// readRows reads the file and keeps the requested rows.
func (s *LinkFiles) readRows(ctx context.Context, sc access.Scope, a *FileRange) (*rowWindow, error) {
	missing := func(err error) error {
		if fault.Is(err, fault.NotFound) {
			return fault.New(fault.NotFound, "noFile",
				"There is no such file. It was not posted yet, is older than a day, or belongs to somebody else.").WithCause(err)
		}
		return err
	}
	key := fileKey(sc, a.FileID)
	if a.Version == "" {
		latest, err := s.Store.LatestVersion(ctx, key)
		if err != nil {
			return nil, missing(err)
		}
		a.Version = latest
	}
	content, err := s.Store.Open(ctx, key, a.Version)
	if err != nil {
		return nil, missing(err)
	}
	w, err := readWindow(&limitedReader{content, MaxFileSize}, a.From, MaxRowsPerCall)
	return w, errors.Join(err, content.Close())
}

// rowWindow holds some rows of a file, checked against all of it. Of the other rows only two hashes stay in memory.
type rowWindow struct {
	rows        []CSVRow
	total, next int
	seed        maphash.Seed
	// ids maps the hash of an email to that of its object id, emails the other way round; 0 stands for two.
	ids, emails map[uint64]uint64
}

// readWindow reads a whole file and keeps up to maxRows rows from a line on.
func readWindow(r io.Reader, from, maxRows int) (*rowWindow, error) {
	w := &rowWindow{seed: maphash.MakeSeed(), ids: map[uint64]uint64{}, emails: map[uint64]uint64{}}
	for row, err := range ReadCSV(r) {
		if err != nil {
			return nil, err
		}
		w.total++
		switch {
		case row.Number < from:
		case len(w.rows) < maxRows:
			w.rows = append(w.rows, row)
		case w.next == 0:
			w.next = row.Number
		}
		if row.Fault == nil {
			email, id := w.hashes(row)
			addPair(w.ids, email, id)
			addPair(w.emails, id, email)
		}
	}
	return w, nil
}

func (w *rowWindow) hashes(row CSVRow) (email, id uint64) {
	normal := strings.ToLower(row.Email)
	// printable ASCII is its own normal form, ten times faster
	if strings.ContainsFunc(normal, func(r rune) bool { return r <= ' ' || r > '~' }) {
		if text, ok := account.Normalise(row.Email); ok {
			normal = text
		}
	}
	// The lowest bit keeps 0 free for "two".
	return maphash.String(w.seed, normal) | 1, maphash.String(w.seed, row.ObjectID) | 1
}

// addPair notes the value of a key, or 0 if the key has another value already.
func addPair(values map[uint64]uint64, key, value uint64) {
	if earlier, ok := values[key]; ok && earlier != value {
		value = 0
	}
	values[key] = value
}

// ambiguity returns what is wrong with a row whose email or object id has two counterparts in the file.
func (w *rowWindow) ambiguity(row CSVRow) string {
	email, id := w.hashes(row)
	switch {
	case w.ids[email] == 0:
		return "This email has two object ids in the file. Remove the wrong one."
	case w.emails[id] == 0:
		return "This object id has two emails in the file. Remove the wrong one."
	}
	return ""
}

// limitedReader fails if its file is too long. io.LimitReader would return a part of it as if it were the whole.
type limitedReader struct {
	io.Reader
	left int
}

// Read implements io.Reader.
func (c *limitedReader) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if c.left -= n; c.left < 0 {
		return 0, fileFault("tooLarge", "The file is larger than 10 MB. Split it into smaller files.")
	}
	return n, err
}

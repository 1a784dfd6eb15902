package auditlog_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"useraccounts/internal/auditlog"
	"useraccounts/internal/environment"
	"useraccounts/internal/field"
	"useraccounts/internal/session"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

var owner = auditlog.Owner{ID: "01JNB7Z5Q0ABCDEFGHJKMNPQRS", Username: "doej"}

// fakeStore is a Store in memory with the order of the table and pages of its own size.
type fakeStore struct {
	events   []auditlog.Event
	sessions []session.Session
	page     int
	reads    int
}

func (m *fakeStore) Events(_ context.Context, _ environment.Environment, _, before string,
	limit int,
) ([]auditlog.Event, string, error) {
	return pageBefore(m, m.events, before, limit, func(e auditlog.Event) string { return e.ID })
}

func (m *fakeStore) Sessions(_ context.Context, _, before string, limit int) ([]session.Session, string, error) {
	return pageBefore(m, m.sessions, before, limit, func(s session.Session) string { return s.ID })
}

func (m *fakeStore) CreationEvent(context.Context, environment.Environment, string) (auditlog.Event, bool, error) {
	return auditlog.Event{ID: owner.ID, At: noon.AddDate(-3, 0, 0), Kind: auditlog.Created, By: "admin"}, true, nil
}

func pageBefore[T any](m *fakeStore, all []T, before string, limit int, id func(T) string) ([]T, string, error) {
	m.reads++
	if !slices.IsSortedFunc(all, func(a, b T) int { return cmp.Compare(id(b), id(a)) }) {
		slices.SortFunc(all, func(a, b T) int { return cmp.Compare(id(b), id(a)) })
	}
	first, _ := slices.BinarySearchFunc(all, before, func(x T, before string) int {
		if id(x) >= before {
			return -1
		}
		return 1
	})
	all = all[first:]
	if m.page > 0 {
		limit = min(limit, m.page)
	}
	if len(all) <= limit {
		return all, "", nil
	}
	return all[:limit], id(all[limit-1]), nil
}

func idAt(t time.Time, n int) string {
	var id ulid.ULID
	_ = id.SetTime(uint64(t.UnixMilli()))
	id[14], id[15] = byte(n>>8), byte(n)
	return id.String()
}

func env(days int) environment.Environment {
	e := environment.Environment{ID: "test", Settings: environment.Defaults()}
	e.Settings.LogRetentionDays = days
	return e
}

func newReader(m *fakeStore) *auditlog.Reader {
	return &auditlog.Reader{Store: m, Now: func() time.Time { return noon }}
}

// readAll reads a whole log in pages.
func readAll(t *testing.T, l *auditlog.Reader, e environment.Environment, f auditlog.Filter,
	limit int,
) []auditlog.Entry {
	t.Helper()
	var out []auditlog.Entry
	var after *auditlog.Position
	for range 100_000 {
		page, err := l.Page(context.Background(), e, owner, f, after, limit)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Entries) > limit {
			t.Fatalf("a page of %d has %d entries", limit, len(page.Entries))
		}
		out = append(out, page.Entries...)
		if after = page.Next; after == nil {
			return out
		}
	}
	t.Fatal("the pages do not end")
	return nil
}

func summaries(entries []auditlog.Entry) []string {
	out := make([]string, len(entries))
	for i, l := range entries {
		out[i] = field.FormatInstant(l.At) + " " + string(l.Kind) + " " + l.ID
	}
	return out
}

// Every entry is listed once, newest first, whatever the size of pages: events, sign-ins, ends of sessions hours after
// their start, and imports stored under the id of a job that was queued.
func TestPagesListEachEntryOnceAndInOrder(t *testing.T) {
	for seed := range int64(60) {
		r := rand.New(rand.NewSource(seed))
		m, want := randomLog(r)
		m.page = 1 + r.Intn(20)
		limit := 1 + r.Intn(15)
		got := summaries(readAll(t, newReader(m), env(730), auditlog.Filter{}, limit))
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d, pages of %d:\n%s\nwant\n%s", seed, limit, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// randomLog returns a log and its entries in order. All times differ, so that the order is unique.
func randomLog(r *rand.Rand) (*fakeStore, []string) {
	m := &fakeStore{}
	type expected struct {
		at   time.Time
		text string
	}
	var all []expected
	add := func(at time.Time, kind auditlog.Kind, id string) {
		all = append(all, expected{at, field.FormatInstant(at) + " " + string(kind) + " " + id})
	}
	for n := range r.Intn(120) {
		at := noon.Add(-time.Duration(1+r.Intn(10*24*3600))*time.Second - time.Duration(n)*time.Millisecond)
		switch r.Intn(4) {
		case 0: // an import that was queued
			id := idAt(at.Add(-time.Duration(r.Intn(20*3600))*time.Second), n)
			m.events = append(m.events, auditlog.Event{ID: id, At: at, Kind: auditlog.Changed, Job: id})
			add(at, auditlog.Changed, id)
		case 1:
			s := session.Session{ID: idAt(at, n), Start: at, RefreshDue: at.Add(time.Duration(r.Intn(12*3600)) * time.Second)}
			add(at, auditlog.SignedIn, s.ID)
			switch due := s.RefreshDue; {
			case r.Intn(2) == 0 && due.Before(noon):
				s.Closed, s.Reason = due.Add(-time.Millisecond*time.Duration(n+1)), session.SignedOut
				if s.Closed.Before(at) {
					s.Closed = at
				}
				add(s.Closed.Add(time.Microsecond), auditlog.SessionClosed, s.ID+".end")
			case !noon.Before(due):
				add(due.Add(time.Microsecond), auditlog.SessionExpired, s.ID+".end")
			}
			m.sessions = append(m.sessions, s)
		default: // the id is given a moment after the clock was read
			id := idAt(at.Add(time.Duration(r.Intn(5))*time.Millisecond), n)
			m.events = append(m.events, auditlog.Event{ID: id, At: at, Kind: auditlog.NoteAdded, Note: "n"})
			add(at, auditlog.NoteAdded, id)
		}
	}
	slices.SortStableFunc(all, func(a, b expected) int { return b.at.Compare(a.at) })
	var want []string
	for _, l := range all {
		want = append(want, l.text)
	}
	return m, append(want, field.FormatInstant(noon.AddDate(-3, 0, 0))+" created "+owner.ID)
}

// An import that was queued for longer than lookAhead is still listed.
func TestAnImportQueuedForDaysIsNotLeftOut(t *testing.T) {
	m := &fakeStore{page: 2}
	for n := range 40 {
		at := noon.Add(-time.Duration(n) * 6 * time.Hour)
		m.events = append(m.events, auditlog.Event{ID: idAt(at, n), At: at, Kind: auditlog.NoteAdded})
	}
	m.events = append(m.events,
		auditlog.Event{ID: idAt(noon.AddDate(0, 0, -7), 99), At: noon.Add(-time.Hour), Kind: auditlog.Changed, Job: "J"})
	got := readAll(t, newReader(m), env(730), auditlog.Filter{}, 3)
	if n := len(slices.DeleteFunc(got, func(l auditlog.Entry) bool { return l.Job != "J" })); n != 1 {
		t.Errorf("%d entries of the import", n)
	}
}

func TestFilters(t *testing.T) {
	m := &fakeStore{}
	for n, e := range []auditlog.Event{
		{Kind: auditlog.AccessBlocked, By: "Admin"},
		{Kind: auditlog.NoteAdded, By: "admin"},
		{Kind: auditlog.BlockedByTries},
		{Kind: auditlog.NoteAdded, By: "other"},
	} {
		e.At = noon.Add(-time.Duration(n) * time.Hour)
		e.ID = idAt(e.At, n)
		m.events = append(m.events, e)
	}
	for _, c := range []struct {
		f    auditlog.Filter
		want int
	}{
		{auditlog.Filter{}, 5},
		{auditlog.Filter{Kind: auditlog.NoteAdded}, 2},
		{auditlog.Filter{By: "ADMIN"}, 3},
		{auditlog.Filter{By: "adm"}, 0},
		{auditlog.Filter{Kind: auditlog.NoteAdded, By: "admin"}, 1},
		{auditlog.Filter{From: noon.Add(-time.Hour)}, 2},
		{auditlog.Filter{From: noon.Add(-time.Hour + time.Millisecond)}, 1},
		{auditlog.Filter{To: noon.Add(-2 * time.Hour)}, 3},
		{auditlog.Filter{To: noon.Add(-2*time.Hour - time.Millisecond)}, 2},
		{auditlog.Filter{From: noon.Add(-2 * time.Hour), To: noon.Add(-time.Hour)}, 2},
		{auditlog.Filter{From: noon.Add(time.Hour)}, 0},
		{auditlog.Filter{Kind: auditlog.Created, To: noon.AddDate(-3, 0, 0)}, 1},
		{auditlog.Filter{To: noon.AddDate(-3, 0, -1)}, 0},
	} {
		for _, limit := range []int{1, 50} {
			if got := readAll(t, newReader(m), env(730), c.f, limit); len(got) != c.want {
				t.Errorf("%+v: %v, want %d", c.f, summaries(got), c.want)
			}
		}
	}
}

// C46: entries beyond the retention are not shown, whether the table deleted them or not; the creation always is.
func TestOldEntriesAreNotShown(t *testing.T) {
	m := &fakeStore{}
	for n, age := range []time.Duration{
		29 * 24 * time.Hour, 30*24*time.Hour - time.Millisecond,
		30*24*time.Hour + time.Millisecond, 400 * 24 * time.Hour,
	} {
		m.events = append(m.events, auditlog.Event{ID: idAt(noon.Add(-age), n), At: noon.Add(-age), Kind: auditlog.NoteAdded})
	}
	for days, want := range map[int]int{30: 3, 31: 4, 401: 5, 0: 5, 5000: 5} {
		if got := readAll(t, newReader(m), env(days), auditlog.Filter{}, 50); len(got) != want {
			t.Errorf("%d days: %v", days, summaries(got))
		}
	}
}

// A rare entry is found in a long log although no request reads all of it.
func TestASearchForRareEntriesStopsAndContinues(t *testing.T) {
	m := &fakeStore{}
	for n := range 30_000 {
		at := noon.Add(-time.Duration(n) * 10 * time.Minute)
		e := auditlog.Event{ID: idAt(at, n), At: at, Kind: auditlog.Changed}
		if n == 29_000 {
			e.Kind = auditlog.NoteAdded
		}
		m.events = append(m.events, e)
	}
	page, err := newReader(m).Page(context.Background(), env(3650), owner, auditlog.Filter{Kind: auditlog.NoteAdded}, nil,
		50)
	if err != nil || len(page.Entries) != 0 || page.Next == nil || m.reads > 30 {
		t.Fatalf("%d entries, next %v, %d reads, %v", len(page.Entries), page.Next, m.reads, err)
	}
	if got := readAll(t, newReader(m), env(3650), auditlog.Filter{Kind: auditlog.NoteAdded}, 50); len(got) != 1 {
		t.Errorf("%v", summaries(got))
	}
}

func TestSessionsBecomeEntries(t *testing.T) {
	start := noon.Add(-2 * time.Hour)
	open := session.Session{
		ID: idAt(start, 1), Start: start, RefreshDue: noon.Add(time.Minute), Client: "console",
		UserAgent: "curl", Address: "192.0.2.1",
	}
	expired, out, own, admin, reused, key := open, open, open, open, open, open
	expired.RefreshDue = noon
	out.Closed, out.Reason = noon, session.SignedOut
	own.Closed, own.Reason = noon, session.ClosedByOwner
	admin.Closed, admin.Reason, admin.ClosedBy, admin.ClosedByID = noon, session.ClosedByAdmin, "boss", "B"
	reused.Closed, reused.Reason = noon, session.RefreshReused
	key.KeyID, key.RefreshDue = "K", noon.Add(-time.Hour)
	for name, c := range map[string]struct {
		s    session.Session
		want string
	}{
		"open":                       {open, "signedIn doej "},
		"expired":                    {expired, "sessionExpired  It was not refreshed in time.|signedIn doej "},
		"signed out":                 {out, "sessionClosed doej Signed out.|signedIn doej "},
		"closed by owner":            {own, "sessionClosed doej Closed by its owner.|signedIn doej "},
		"closed by an administrator": {admin, "sessionClosed boss Closed by an administrator.|signedIn doej "},
		"refresh token reused":       {reused, "refreshReused  |signedIn doej "}, "by a key": {key, ""},
	} {
		var got []string
		for _, l := range readAll(t, newReader(&fakeStore{sessions: []session.Session{c.s}}), env(730), auditlog.Filter{},
			1) {
			if l.Kind != auditlog.Created {
				got = append(got, string(l.Kind)+" "+l.By+" "+l.Note)
			}
			if l.Kind == auditlog.SignedIn &&
				(l.Client != "console" || l.UserAgent != "curl" || l.Address != "192.0.2.1" || l.Session != c.s.ID ||
					l.ByID != owner.ID) {
				t.Errorf("%s: %+v", name, l)
			}
		}
		if text := strings.Join(got, "|"); text != c.want {
			t.Errorf("%s: %s, want %s", name, text, c.want)
		}
	}
}

// C49: a text that a spreadsheet would run gets a quote before it; everything else is unchanged.
func TestExport(t *testing.T) {
	hostile := []string{
		"=cmd|'/c calc'!A1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "＝1", "a \"quoted\"\nline, and more",
		"plain",
	}
	m := &fakeStore{}
	for n, text := range hostile {
		at := noon.Add(-time.Duration(n) * time.Minute)
		m.events = append(m.events,
			auditlog.Event{
				ID: idAt(at, n), At: at, Kind: auditlog.Changed, By: text, Note: text, Job: "J", Row: 7,
				Changes: []field.Diff{
					{Field: "name", From: text, To: nil}, {Field: "roles", From: []any{"A", "B"}, To: true},
				},
			})
	}
	label := func(_ auditlog.Event, name string) string { return "Label of " + name }
	out, err := newReader(m).Export(context.Background(), env(730), owner, auditlog.Filter{}, label)
	if err != nil || !out.Complete || out.Entries != len(hostile)+1 {
		t.Fatalf("%d entries, complete %v, %v", out.Entries, out.Complete, err)
	}
	text, marked := bytes.CutPrefix(out.CSV, []byte("\ufeff"))
	records, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil || !marked || len(records) != 1+2*len(hostile)+1 || !strings.Contains(string(text), "\r\n") {
		t.Fatalf("%v, mark %v, %d records", err, marked, len(records))
	}
	for n, typed := range hostile {
		want := strings.ReplaceAll(typed, "\r", "")
		if n < 7 {
			want = "'" + want
		}
		first, second := records[1+2*n], records[2+2*n]
		if first[2] != want || first[4] != want || first[6] != want || first[3] != "Label of name" || first[5] != "" ||
			first[7] != "J" || first[8] != "7" {
			t.Errorf("%q: %q", typed, first)
		}
		if second[4] != "A; B" || second[5] != "yes" || second[1] != "Changed" ||
			second[0] != field.FormatInstant(noon.Add(-time.Duration(n)*time.Minute)) {
			t.Errorf("%q", second)
		}
		for _, cell := range append(first, second...) {
			if strings.ContainsAny(cell[:min(1, len(cell))], "=+-@\t\r") {
				t.Errorf("%q would be run", cell)
			}
		}
	}
}

// The export fits into Lambda's response of 6 MB, and says when it is not complete.
func TestExportIsBounded(t *testing.T) {
	for name, c := range map[string]struct {
		count   int
		note    string
		entries int
	}{"many": {auditlog.MaxExported + 5, "short", auditlog.MaxExported}, "long": {9000, strings.Repeat("\"\n", 1000), 0}} {
		m := &fakeStore{}
		for n := range c.count {
			at := noon.Add(-time.Duration(n) * time.Second)
			m.events = append(m.events, auditlog.Event{ID: idAt(at, n), At: at, Kind: auditlog.NoteAdded, Note: c.note})
		}
		out, err := newReader(m).Export(context.Background(), env(730), owner, auditlog.Filter{}, nil)
		if err != nil || out.Complete || c.entries != 0 && out.Entries != c.entries {
			t.Errorf("%s: %d entries, complete %v, %v", name, out.Entries, out.Complete, err)
		}
		if escaped := len(fmt.Sprintf("%q", out.CSV)); escaped > 5_900_000 {
			t.Errorf("%s: %d bytes as JSON", name, escaped)
		}
	}
}

func TestEventsExpireOnlyAfterTheyAreHidden(t *testing.T) {
	for days, want := range map[int]int{30: 30, 730: 730, 0: auditlog.MaxRetentionDays, 9999: auditlog.MaxRetentionDays} {
		if got := (auditlog.Event{At: noon, RetentionDays: days}).ExpiresAt(); !got.Equal(noon.AddDate(0, 0, want)) {
			t.Errorf("%d days: %v", days, got)
		}
	}
}

// A kind without a label would be shown by its internal name, and could not be filtered for.
func TestEveryKindHasALabel(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || spec.Type == nil || reflect.TypeOf(spec.Type) != reflect.TypeFor[*ast.Ident]() ||
				spec.Type.(*ast.Ident).Name != "Kind" {
				return true
			}
			for _, v := range spec.Values {
				found++
				kind := auditlog.Kind(strings.Trim(v.(*ast.BasicLit).Value, `"`))
				if auditlog.Labels()[kind] == "" || !slices.Contains(auditlog.Kinds(), kind) {
					t.Errorf("the kind %s has no label", kind)
				}
			}
			return true
		})
	}
	if found < 20 {
		t.Errorf("only %d kinds found", found)
	}
}

package transfer_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/sheet"
	"useraccounts/internal/transfer"
)

// outcomes returns the stored result of each row, as "outcome heading code, ...".
func (b *fakeBackend) outcomes(t testing.TB) []string {
	t.Helper()
	if !b.job.HasReport {
		return nil
	}
	var rows []transfer.Row
	if err := json.Unmarshal(b.files[b.job.ReportKey()], &rows); err != nil {
		t.Fatal(err)
	}
	out := make([]string, len(rows))
	for i, r := range rows {
		if r.Row != i+2 {
			t.Errorf("row %d is called %d", i+2, r.Row)
		}
		out[i] = string(r.Outcome)
		for _, f := range r.Errors {
			out[i] += " " + f.Field + ":" + f.Code
			if f.Message == "" {
				t.Errorf("row %d: no message for %s", r.Row, f.Code)
			}
		}
	}
	return out
}

func baseHeader() []string { return []string{"Username", "Description", "User licenses", "Email"} }

func newRow(name string) []any { return []any{name, "New " + name, "FULL", name + "@example.com"} }

// rowsCase lists one file's rows, and what they come to, with Skip errors on.
type rowsCase struct {
	name   string
	header []string
	rows   [][]any
	want   []string
}

func (c rowsCase) run(t *testing.T, b *fakeBackend, options transfer.Options) {
	t.Helper()
	options.SkipErrors = true
	b.submit(options, book(t, c.header, c.rows...))
	b.runTo(t, transfer.Done)
	if got := b.outcomes(t); !reflect.DeepEqual(got, c.want) {
		t.Errorf("%s: %q\nwant %q", c.name, got, c.want)
	}
}

// What is wrong with a row is said under the sheet's own heading.
func TestRowErrors(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n) }
	with := func(heading string, value any) rowsCase {
		return rowsCase{header: append(baseHeader(), heading), rows: [][]any{append(newRow("new"), value)}}
	}
	for name, c := range map[string]rowsCase{
		"no username": {header: baseHeader(), rows: [][]any{{nil, "x", "FULL", "x@example.com"}},
			want: []string{"failed Username:required"}},
		"a clear word for it": {header: baseHeader(), rows: [][]any{{"<clear>", "x", "FULL", "x@example.com"}},
			want: []string{"failed Username:required"}},
		"a username that is none": {header: baseHeader(), rows: [][]any{{"a\u200bb", "x", "FULL", "x@example.com"}},
			want: []string{"failed Username:character"}},
		"a username of 51": {header: baseHeader(), rows: [][]any{{long(51), "x", "FULL", "x@example.com"}},
			want: []string{"failed Username:tooLong"}},
		"a username of 251": {header: baseHeader(), rows: [][]any{{long(251), "x", "FULL", "x@example.com"}},
			want: []string{"failed Username:character"}},
		"a new one of a name only": {header: []string{"Username"}, rows: [][]any{{"new"}},
			want: []string{"failed User licenses:required Description:required Email:required"}},
		"a cleared description": {header: baseHeader(), rows: [][]any{{"keep", "<clear>"}},
			want: []string{"failed Description:required"}},
		"a description of 201": {header: baseHeader(), rows: [][]any{{"keep", long(201)}},
			want: []string{"failed Description:tooLong"}},
		"a cleared email": {header: baseHeader(), rows: [][]any{{"keep", nil, nil, "<clear>"}},
			want: []string{"failed Email:required"}},
		"an email of two": {header: baseHeader(), rows: [][]any{{"keep", nil, nil, "a@b.de; c@d.de"}},
			want: []string{"failed Email:address"}},
		// C41
		"an email of two hosts": {header: baseHeader(), rows: [][]any{{"keep", nil, nil, "a@evil.com@good.com"}},
			want: []string{"failed Email:address"}},
		// C41
		"an email with a comment": {header: baseHeader(), rows: [][]any{{"keep", nil, nil, "a(b@c.de)@d.de"}},
			want: []string{"failed Email:address"}},
		// C41
		"an email with a quoted part": {header: baseHeader(), rows: [][]any{{"keep", nil, nil, "\"a@b.de\"@c.de"}},
			want: []string{"failed Email:address"}},
		"somebody's email": {header: baseHeader(), rows: [][]any{{"keep", nil, nil, "OTHER@Example.com"}},
			want: []string{"failed Email:taken"}},
		// C08
		"somebody's email as a username": {header: baseHeader(),
			rows: [][]any{{"Other＠example.com", "x", "FULL", "x@example.com"}}, want: []string{"failed Username:taken"}},
		"an unknown licence": {header: baseHeader(), rows: [][]any{{"keep", nil, "GOLD"}},
			want: []string{"failed User licenses:unknownCode"}},
		"several at once": {header: append(baseHeader(), "User roles", "Date to"),
			rows: [][]any{{"new", nil, "GOLD", "bad", "NONE", "soon"}},
			want: []string{
				"failed Date to:date Email:address User licenses:unknownCode Description:required User roles:unknownCode"}},
		"the column of an earlier result": {header: append(baseHeader(), "Result"),
			rows: [][]any{append(newRow("new"), "created")}, want: []string{"created"}},
		"a resource": func() rowsCase {
			c := with("Create Resource", "y")
			c.want = []string{"failed Resource group:required"}
			return c
		}(),
		"a resource, real TRUE": func() rowsCase {
			c := with("Create Resource", true)
			c.want = []string{"failed Resource group:required"}
			return c
		}(),
		"no resource": func() rowsCase { c := with("Create Resource", "No"); c.want = []string{"created"}; return c }(),
		"perhaps a resource": func() rowsCase {
			c := with("Create Resource", "perhaps")
			c.want = []string{"failed Create Resource:yesNo"}
			return c
		}(),
		"perhaps a factor": func() rowsCase {
			c := with("MFA requires", "perhaps")
			c.want = []string{"failed MFA requires:yesNo"}
			return c
		}(),
		"a role above": func() rowsCase {
			c := with("User roles", "VIEWER; ADMIN")
			c.want = []string{"created"}
			return c
		}(),
		"a role outside": {header: append(baseHeader(), "User roles"),
			rows: [][]any{{"keep", nil, "TEAM", nil, "IMPORTER"}}, want: []string{"failed User roles:outsideLicence"}},
		"a licence too small": {header: baseHeader(), rows: [][]any{{"chief", nil, "TEAM"}},
			want: []string{"failed User licenses:outsideLicence"}},
		"unknown groups": func() rowsCase {
			c := with("User groups", "STAFF; X")
			c.want = []string{"failed User groups:unknownCode"}
			return c
		}(),
		"unknown DAC groups": func() rowsCase {
			c := with("DAC groups", "DAC1;X")
			c.want = []string{"failed DAC groups:unknownCode"}
			return c
		}(),
		"a mobile of 51": func() rowsCase {
			c := with("Mobile", long(51))
			c.want = []string{"failed Mobile:tooLong"}
			return c
		}(),
		"an end before today": func() rowsCase {
			c := with("Date to", "2026-01-04")
			c.want = []string{"failed Date to:beforeDateFrom"}
			return c
		}(),
		"31/12 as ISO": func() rowsCase {
			c := with("Date from", "31/12/2026")
			c.want = []string{"failed Date from:date"}
			return c
		}(),
		"a number for a date": func() rowsCase {
			c := with("Date from", "46000")
			c.want = []string{"failed Date from:date"}
			return c
		}(),
		"another import at it": {header: baseHeader(), rows: [][]any{{"busy", "x"}}, want: []string{"failed Username:busy"}},
		"the actor themselves": {header: append(baseHeader(), "User roles"),
			rows: [][]any{{"boss", nil, nil, nil, "VIEWER"}}, want: []string{"failed Username:self"}},
		"ignored columns": {header: append(baseHeader(), "Resource", "Manager", "Country code", "First name"),
			rows: [][]any{append(newRow("new"), "R1", "nobody", "XX", long(500))}, want: []string{"created"}},
	} {
		chief, boss := existingAccount("chief"), existingAccount("boss")
		chief.Roles, boss.Roles, boss.ID = []string{"ADMIN"}, []string{"ADMIN"}, "9"
		b := newFakeBackend(existingAccount("keep"), existingAccount("other"), existingAccount("busy"), chief, boss)
		b.busy["busy"] = true
		c.name = name
		c.run(t, b, transfer.Options{})
	}
}

// V61: the file of an importer gives no right that the importer lacks.
func TestAnImporterGivesNoMoreThanTheyHold(t *testing.T) {
	b := newFakeBackend(existingAccount("keep"))
	b.roles = []string{"IMPORTER"}
	rowsCase{name: "roles", header: append(baseHeader(), "User roles"),
		rows: [][]any{append(newRow("a"), "ADMIN"), append(newRow("b"), "viewer"), {"keep", nil, nil, nil, "ADMIN"}},
		want: []string{"failed User roles:aboveOwnRights", "created", "failed User roles:aboveOwnRights"}}.run(t, b,
		transfer.Options{})
}

// Each identifier once in a file, in any spelling, and as a username or an email alike.
func TestDoubledIdentifiers(t *testing.T) {
	c := rowsCase{header: baseHeader(), rows: [][]any{
		{"ann", "A", "FULL", "one@example.com"},
		{" ＡＮＮ ", "B", "FULL", "two@example.com"},
		{"bob", "C", "FULL", "ONE＠Example.com"},
		{"One@example.com", "D", "FULL", "four@example.com"},
		{"five@example.com", "E", "FULL", "FIVE@example.com"},
		{"e\u0301ve", "F", "FULL", "six@example.com"},
		{"Éve", "G", "FULL", "seven@example.com"},
	}, want: []string{"failed Username:doubled Email:doubled", "failed Username:doubled", "failed Email:doubled",
		"failed Username:doubled", "created", "failed Username:doubled", "failed Username:doubled"}}
	c.run(t, newFakeBackend(), transfer.Options{})
}

// A blank cell or an absent column keeps, a filled one replaces, the clear word empties.
func TestUpdatesKeepReplaceAndClear(t *testing.T) {
	full := existingAccount("keep")
	full.DateTo, full.MFARequired, full.Groups, full.DACGroups = "2027-01-01", true, []string{"STAFF"}, []string{"DAC1"}
	header := []string{"Username", "Description", "User licenses", "Date from", "Date to", "Email", "Mobile",
		"MFA requires", "DAC groups", "User roles", "User groups"}
	for _, c := range []struct {
		name string
		row  []any
		want func(*account.Account)
	}{
		{"blank", []any{"KEEP"}, nil},
		{"white space", []any{"keep", " ", "\t", " ", " ", " ", " ", " ", " ", " ", "\u00a0"}, nil},
		{"separators only", []any{"keep", nil, nil, nil, nil, nil, nil, nil, ";", " ; ;", ";;"}, nil},
		{"the same in other words",
			[]any{"keep", "Somebody", "full", "2026-01-01", "2027-01-01", "keep@example.com", "0123", "Y", "dac1;DAC1",
				"viewer", "staff"}, nil},
		{"cleared", []any{"keep", nil, nil, nil, "<clear>", nil, " <clear> ", "<clear>", "<clear>", "<clear>", "<clear>"},
			func(a *account.Account) {
				a.DateTo, a.Mobile, a.MFARequired, a.DACGroups, a.Roles, a.Groups = "", "", false, nil, nil, nil
			}},
		{"a cleared start", []any{"keep", nil, nil, "<clear>"}, func(a *account.Account) { a.DateFrom = "2026-01-05" }},
		{"replaced",
			[]any{"keep", "New", "TEAM", "2026-02-01", time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), "new@example.com",
				"+49 30 123456", false, "DAC2", "VIEWER", "<clear>"}, func(a *account.Account) {
				a.Name, a.UserType, a.DateFrom, a.DateTo, a.Email, a.Mobile, a.MobileE164 = "New", "TEAM", "2026-02-01",
					"2026-03-01", "new@example.com", "+49 30 123456", "+4930123456"
				a.MFARequired, a.DACGroups, a.Groups = false, []string{"DAC2"}, nil
			}},
	} {
		b := newFakeBackend(full)
		b.submit(transfer.Options{}, book(t, header, c.row))
		b.runTo(t, transfer.Done)
		want := full
		if c.want != nil {
			c.want(&want)
			want.Version, want.UpdatedAt = 5, now
			if b.job.Counts != (transfer.Counts{Rows: 1, Updated: 1}) {
				t.Errorf("%s: %+v", c.name, b.job.Counts)
			}
		} else if b.count("stage") > 0 || b.job.Counts != (transfer.Counts{Rows: 1, Unchanged: 1}) {
			t.Errorf("%s: %d written, %+v", c.name, b.count("stage"), b.job.Counts)
		}
		if got := b.accounts["keep"]; !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n%+v\nwant\n%+v", c.name, got, want)
		}
	}
}

func TestANewAccountHasNoAccessAndNoPassword(t *testing.T) {
	b := newFakeBackend()
	b.submit(transfer.Options{}, book(t, baseHeader(), newRow("Doej")))
	b.runTo(t, transfer.Done)
	a := b.accounts["doej"]
	if !a.AccessLocked || a.LockedBy != "boss" || a.PasswordHash != "" || a.Version != 1 || a.DateFrom != "2026-01-05" ||
		!a.Active || a.ID == "" {
		t.Errorf("%+v", a)
	}
}

// The chosen format is the only one, in every direction; real dates are dates whatever it is.
func TestDatesAreReadByTheChosenFormatOnly(t *testing.T) {
	texts := map[sheet.DateFormat]string{sheet.British: "31/12/2026", sheet.European: "31.12.2026",
		sheet.American: "12/31/2026", sheet.ISO: "2026-12-31"}
	for format := range texts {
		for of, text := range texts {
			want := "failed Date to:date"
			if of == format {
				want = "created"
			}
			c := rowsCase{name: text + " as " + format.String(), header: append(baseHeader(), "Date to"),
				rows: [][]any{append(newRow("new"), text)}, want: []string{want}}
			c.run(t, newFakeBackend(), transfer.Options{DateFormat: format})
		}
		b := newFakeBackend()
		c := rowsCase{name: "a real date", header: append(baseHeader(), "Date to"),
			rows: [][]any{append(newRow("new"), time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC))}, want: []string{"created"}}
		c.run(t, b, transfer.Options{DateFormat: format})
		if b.accounts["new"].DateTo != "2026-12-31" {
			t.Errorf("%s: %s", format, b.accounts["new"].DateTo)
		}
	}
}

// What refuses a file as a whole, before any account is read.
func TestFilesThatAreRefusedAsAWhole(t *testing.T) {
	many := func(n int) []byte {
		rows := make([][]any, n)
		for i := range rows {
			rows[i] = []any{fmt.Sprintf("u%d", i)}
		}
		return book(t, []string{"Username"}, rows...)
	}
	for _, c := range []struct {
		name, code string
		file       []byte
		field      string
	}{
		{"an unknown heading", "headings", book(t, []string{"Username", "Usergroups", "E-mial"}, []any{"x"}), "E-mial"},
		{"no username", "headings", book(t, []string{"Description"}, []any{"x"}), "Username"},
		{"no rows", "noRows", book(t, baseHeader()), ""},
		{"5,001 rows", "tooManyRows", many(5001), ""}, // V70
		{"no workbook", "notWorkbook", []byte("Username,Email\n"), ""},
		{"half a workbook", "corruptWorkbook", book(t, baseHeader(), newRow("x"))[:300], ""},
	} {
		for _, skip := range []bool{false, true} {
			b := newFakeBackend()
			b.submit(transfer.Options{SkipErrors: skip}, c.file)
			b.runTo(t, transfer.Refused)
			if b.job.Problem == nil || b.job.Problem.Code != c.code || b.job.HasReport {
				t.Errorf("%s: %+v", c.name, b.job.Problem)
			}
			if c.field != "" && (len(b.job.Problem.Fields) != 1 || b.job.Problem.Fields[0].Field != c.field) {
				t.Errorf("%s: %+v", c.name, b.job.Problem.Fields)
			}
			puts := map[string]int{"headings": 1}[c.code] // the sheet that comes back
			if b.count("accounts")+b.count("actor")+b.count("begin") > 0 || b.count("put") != puts {
				t.Errorf("%s: it went on to %v", c.name, b.calls)
			}
		}
	}
	b := newFakeBackend()
	b.submit(transfer.Options{}, many(5000))
	b.runTo(t, transfer.Refused)
	if b.job.Problem.Code != "rowErrors" || b.job.Counts.Failed != 5000 {
		t.Errorf("5,000 rows: %+v %+v", b.job.Problem, b.job.Counts)
	}
}

// Headings are found in any order, without regard to case and spaces.
func TestHeadingsInAnyOrderAndSpelling(t *testing.T) {
	rowsCase{name: "order", header: []string{"EMAIL", " user  Licenses ", "result", "DESCRIPTION", "userName"},
		rows: [][]any{{"x@example.com", "FULL", "old", "X", "x"}},
		want: []string{"created"}}.run(t, newFakeBackend(), transfer.Options{})
}

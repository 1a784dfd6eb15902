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

// report returns the stored result of each row, as "outcome heading code, ...".
func (o *office) report(t testing.TB) []string {
	t.Helper()
	if !o.job.Report {
		return nil
	}
	var rows []transfer.Row
	if err := json.Unmarshal(o.files[o.job.ReportKey()], &rows); err != nil {
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

func base() []string { return []string{"Username", "Description", "User licenses", "Email"} }

func fresh(name string) []any { return []any{name, "New " + name, "FULL", name + "@example.com"} }

// each lists one file's rows, and what they come to, with Skip errors on.
type each struct {
	name   string
	header []string
	rows   [][]any
	want   []string
}

func (c each) run(t *testing.T, o *office, options transfer.Options) {
	t.Helper()
	options.SkipErrors = true
	o.submit(options, book(t, c.header, c.rows...))
	o.runs(t, transfer.Done)
	if got := o.report(t); !reflect.DeepEqual(got, c.want) {
		t.Errorf("%s: %q\nwant %q", c.name, got, c.want)
	}
}

// What is wrong with a row is said under the sheet's own heading.
func TestRowErrors(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n) }
	with := func(heading string, value any) each {
		return each{header: append(base(), heading), rows: [][]any{append(fresh("new"), value)}}
	}
	for name, c := range map[string]each{
		"no username":                     {header: base(), rows: [][]any{{nil, "x", "FULL", "x@example.com"}}, want: []string{"failed Username:required"}},
		"a clear word for it":             {header: base(), rows: [][]any{{"<clear>", "x", "FULL", "x@example.com"}}, want: []string{"failed Username:required"}},
		"a username that is none":         {header: base(), rows: [][]any{{"a\u200bb", "x", "FULL", "x@example.com"}}, want: []string{"failed Username:character"}},
		"a username of 51":                {header: base(), rows: [][]any{{long(51), "x", "FULL", "x@example.com"}}, want: []string{"failed Username:tooLong"}},
		"a username of 251":               {header: base(), rows: [][]any{{long(251), "x", "FULL", "x@example.com"}}, want: []string{"failed Username:character"}},
		"a new one of a name only":        {header: []string{"Username"}, rows: [][]any{{"new"}}, want: []string{"failed User licenses:required Description:required Email:required"}},
		"a cleared description":           {header: base(), rows: [][]any{{"keep", "<clear>"}}, want: []string{"failed Description:required"}},
		"a description of 201":            {header: base(), rows: [][]any{{"keep", long(201)}}, want: []string{"failed Description:tooLong"}},
		"a cleared email":                 {header: base(), rows: [][]any{{"keep", nil, nil, "<clear>"}}, want: []string{"failed Email:required"}},
		"an email of two":                 {header: base(), rows: [][]any{{"keep", nil, nil, "a@b.de; c@d.de"}}, want: []string{"failed Email:address"}},
		"an email of two hosts":           {header: base(), rows: [][]any{{"keep", nil, nil, "a@evil.com@good.com"}}, want: []string{"failed Email:address"}}, // C41
		"an email with a comment":         {header: base(), rows: [][]any{{"keep", nil, nil, "a(b@c.de)@d.de"}}, want: []string{"failed Email:address"}},      // C41
		"an email with a quoted part":     {header: base(), rows: [][]any{{"keep", nil, nil, "\"a@b.de\"@c.de"}}, want: []string{"failed Email:address"}},     // C41
		"somebody's email":                {header: base(), rows: [][]any{{"keep", nil, nil, "OTHER@Example.com"}}, want: []string{"failed Email:taken"}},
		"somebody's email as a username":  {header: base(), rows: [][]any{{"Other＠example.com", "x", "FULL", "x@example.com"}}, want: []string{"failed Username:taken"}}, // C08
		"an unknown licence":              {header: base(), rows: [][]any{{"keep", nil, "GOLD"}}, want: []string{"failed User licenses:unknownCode"}},
		"several at once":                 {header: append(base(), "User roles", "Date to"), rows: [][]any{{"new", nil, "GOLD", "bad", "NONE", "soon"}}, want: []string{"failed Date to:date Email:address User licenses:unknownCode Description:required User roles:unknownCode"}},
		"the column of an earlier result": {header: append(base(), "Result"), rows: [][]any{append(fresh("new"), "created")}, want: []string{"created"}},
		"a resource": func() each {
			c := with("Create Resource", "y")
			c.want = []string{"failed Resource group:required"}
			return c
		}(),
		"a resource, real TRUE": func() each {
			c := with("Create Resource", true)
			c.want = []string{"failed Resource group:required"}
			return c
		}(),
		"no resource": func() each { c := with("Create Resource", "No"); c.want = []string{"created"}; return c }(),
		"perhaps a resource": func() each {
			c := with("Create Resource", "perhaps")
			c.want = []string{"failed Create Resource:yesNo"}
			return c
		}(),
		"perhaps a factor": func() each {
			c := with("MFA requires", "perhaps")
			c.want = []string{"failed MFA requires:yesNo"}
			return c
		}(),
		"a role above":        func() each { c := with("User roles", "VIEWER; ADMIN"); c.want = []string{"created"}; return c }(),
		"a role outside":      {header: append(base(), "User roles"), rows: [][]any{{"keep", nil, "TEAM", nil, "IMPORTER"}}, want: []string{"failed User roles:outsideLicence"}},
		"a licence too small": {header: base(), rows: [][]any{{"chief", nil, "TEAM"}}, want: []string{"failed User licenses:outsideLicence"}},
		"unknown groups": func() each {
			c := with("User groups", "STAFF; X")
			c.want = []string{"failed User groups:unknownCode"}
			return c
		}(),
		"unknown DAC groups": func() each {
			c := with("DAC groups", "DAC1;X")
			c.want = []string{"failed DAC groups:unknownCode"}
			return c
		}(),
		"a mobile of 51": func() each { c := with("Mobile", long(51)); c.want = []string{"failed Mobile:tooLong"}; return c }(),
		"an end before today": func() each {
			c := with("Date to", "2026-01-04")
			c.want = []string{"failed Date to:beforeDateFrom"}
			return c
		}(),
		"31/12 as ISO": func() each {
			c := with("Date from", "31/12/2026")
			c.want = []string{"failed Date from:date"}
			return c
		}(),
		"a number for a date":  func() each { c := with("Date from", "46000"); c.want = []string{"failed Date from:date"}; return c }(),
		"another import at it": {header: base(), rows: [][]any{{"busy", "x"}}, want: []string{"failed Username:busy"}},
		"the actor themselves": {header: append(base(), "User roles"), rows: [][]any{{"boss", nil, nil, nil, "VIEWER"}}, want: []string{"failed Username:self"}},
		"ignored columns":      {header: append(base(), "Resource", "Manager", "Country code", "First name"), rows: [][]any{append(fresh("new"), "R1", "nobody", "XX", long(500))}, want: []string{"created"}},
	} {
		chief, boss := somebody("chief"), somebody("boss")
		chief.Roles, boss.Roles, boss.ID = []string{"ADMIN"}, []string{"ADMIN"}, "9"
		o := newOffice(somebody("keep"), somebody("other"), somebody("busy"), chief, boss)
		o.busy["busy"] = true
		c.name = name
		c.run(t, o, transfer.Options{})
	}
}

// V61: the file of an importer gives no right that the importer lacks.
func TestAnImporterGivesNoMoreThanTheyHold(t *testing.T) {
	o := newOffice(somebody("keep"))
	o.roles = []string{"IMPORTER"}
	each{name: "roles", header: append(base(), "User roles"), rows: [][]any{append(fresh("a"), "ADMIN"), append(fresh("b"), "viewer"), {"keep", nil, nil, nil, "ADMIN"}},
		want: []string{"failed User roles:aboveOwnRights", "created", "failed User roles:aboveOwnRights"}}.run(t, o, transfer.Options{})
}

// Each identifier once in a file, in any spelling, and as a username or an email alike.
func TestDoubledIdentifiers(t *testing.T) {
	c := each{header: base(), rows: [][]any{
		{"ann", "A", "FULL", "one@example.com"},
		{" ＡＮＮ ", "B", "FULL", "two@example.com"},
		{"bob", "C", "FULL", "ONE＠Example.com"},
		{"One@example.com", "D", "FULL", "four@example.com"},
		{"five@example.com", "E", "FULL", "FIVE@example.com"},
		{"e\u0301ve", "F", "FULL", "six@example.com"},
		{"Éve", "G", "FULL", "seven@example.com"},
	}, want: []string{"failed Username:doubled Email:doubled", "failed Username:doubled", "failed Email:doubled", "failed Username:doubled", "created", "failed Username:doubled", "failed Username:doubled"}}
	c.run(t, newOffice(), transfer.Options{})
}

// A blank cell or an absent column keeps, a filled one replaces, the clear word empties.
func TestUpdatesKeepReplaceAndClear(t *testing.T) {
	full := somebody("keep")
	full.DateTo, full.MFARequired, full.Groups, full.DACGroups = "2027-01-01", true, []string{"STAFF"}, []string{"DAC1"}
	header := []string{"Username", "Description", "User licenses", "Date from", "Date to", "Email", "Mobile", "MFA requires", "DAC groups", "User roles", "User groups"}
	for _, c := range []struct {
		name string
		row  []any
		want func(*account.Account)
	}{
		{"blank", []any{"KEEP"}, nil},
		{"white space", []any{"keep", " ", "\t", " ", " ", " ", " ", " ", " ", " ", "\u00a0"}, nil},
		{"separators only", []any{"keep", nil, nil, nil, nil, nil, nil, nil, ";", " ; ;", ";;"}, nil},
		{"the same in other words", []any{"keep", "Somebody", "full", "2026-01-01", "2027-01-01", "keep@example.com", "0123", "Y", "dac1;DAC1", "viewer", "staff"}, nil},
		{"cleared", []any{"keep", nil, nil, nil, "<clear>", nil, " <clear> ", "<clear>", "<clear>", "<clear>", "<clear>"}, func(a *account.Account) {
			a.DateTo, a.Mobile, a.MFARequired, a.DACGroups, a.Roles, a.Groups = "", "", false, nil, nil, nil
		}},
		{"a cleared start", []any{"keep", nil, nil, "<clear>"}, func(a *account.Account) { a.DateFrom = "2026-01-05" }},
		{"replaced", []any{"keep", "New", "TEAM", "2026-02-01", time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), "new@example.com", "+49 30 123456", false, "DAC2", "VIEWER", "<clear>"}, func(a *account.Account) {
			a.Name, a.UserType, a.DateFrom, a.DateTo, a.Email, a.Mobile, a.MobileE164 = "New", "TEAM", "2026-02-01", "2026-03-01", "new@example.com", "+49 30 123456", "+4930123456"
			a.MFARequired, a.DACGroups, a.Groups = false, []string{"DAC2"}, nil
		}},
	} {
		o := newOffice(full)
		o.submit(transfer.Options{}, book(t, header, c.row))
		o.runs(t, transfer.Done)
		want := full
		if c.want != nil {
			c.want(&want)
			want.Version, want.UpdatedAt = 5, now
			if o.job.Counts != (transfer.Counts{Rows: 1, Updated: 1}) {
				t.Errorf("%s: %+v", c.name, o.job.Counts)
			}
		} else if o.count("stage") > 0 || o.job.Counts != (transfer.Counts{Rows: 1, Unchanged: 1}) {
			t.Errorf("%s: %d written, %+v", c.name, o.count("stage"), o.job.Counts)
		}
		if got := o.accounts["keep"]; !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n%+v\nwant\n%+v", c.name, got, want)
		}
	}
}

func TestANewAccountHasNoAccessAndNoPassword(t *testing.T) {
	o := newOffice()
	o.submit(transfer.Options{}, book(t, base(), fresh("Doej")))
	o.runs(t, transfer.Done)
	a := o.accounts["doej"]
	if !a.AccessLocked || a.LockedBy != "boss" || a.PasswordHash != "" || a.Version != 1 || a.DateFrom != "2026-01-05" || !a.Active || a.ID == "" {
		t.Errorf("%+v", a)
	}
}

// The chosen format is the only one, in every direction; real dates are dates whatever it is.
func TestDatesAreReadByTheChosenFormatOnly(t *testing.T) {
	texts := map[sheet.DateFormat]string{sheet.British: "31/12/2026", sheet.European: "31.12.2026", sheet.American: "12/31/2026", sheet.ISO: "2026-12-31"}
	for format := range texts {
		for of, text := range texts {
			want := "failed Date to:date"
			if of == format {
				want = "created"
			}
			c := each{name: text + " as " + format.String(), header: append(base(), "Date to"), rows: [][]any{append(fresh("new"), text)}, want: []string{want}}
			c.run(t, newOffice(), transfer.Options{DateFormat: format})
		}
		o := newOffice()
		c := each{name: "a real date", header: append(base(), "Date to"), rows: [][]any{append(fresh("new"), time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC))}, want: []string{"created"}}
		c.run(t, o, transfer.Options{DateFormat: format})
		if o.accounts["new"].DateTo != "2026-12-31" {
			t.Errorf("%s: %s", format, o.accounts["new"].DateTo)
		}
	}
}

// All that a refused file can be refused for as a whole, before any row is looked up.
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
		{"no rows", "noRows", book(t, base()), ""},
		{"5,001 rows", "tooManyRows", many(5001), ""}, // V70
		{"no workbook", "notWorkbook", []byte("Username,Email\n"), ""},
		{"half a workbook", "corruptWorkbook", book(t, base(), fresh("x"))[:300], ""},
	} {
		for _, skip := range []bool{false, true} {
			o := newOffice()
			o.submit(transfer.Options{SkipErrors: skip}, c.file)
			o.runs(t, transfer.Refused)
			if o.job.Problem == nil || o.job.Problem.Code != c.code || o.job.Report {
				t.Errorf("%s: %+v", c.name, o.job.Problem)
			}
			if c.field != "" && (len(o.job.Problem.Fields) != 1 || o.job.Problem.Fields[0].Field != c.field) {
				t.Errorf("%s: %+v", c.name, o.job.Problem.Fields)
			}
			puts := map[string]int{"headings": 1}[c.code] // the sheet that comes back
			if o.count("rows")+o.count("actor")+o.count("begin") > 0 || o.count("put") != puts {
				t.Errorf("%s: it went on to %v", c.name, o.calls)
			}
		}
	}
	o := newOffice()
	o.submit(transfer.Options{}, many(5000))
	o.runs(t, transfer.Refused)
	if o.job.Problem.Code != "rowErrors" || o.job.Counts.Failed != 5000 {
		t.Errorf("5,000 rows: %+v %+v", o.job.Problem, o.job.Counts)
	}
}

// Headings are found in any order, without regard to case and spaces.
func TestHeadingsInAnyOrderAndSpelling(t *testing.T) {
	each{name: "order", header: []string{"EMAIL", " user  Licenses ", "result", "DESCRIPTION", "userName"}, rows: [][]any{{"x@example.com", "FULL", "old", "X", "x"}},
		want: []string{"created"}}.run(t, newOffice(), transfer.Options{})
}

package sheet

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"useraccounts/internal/fault"
)

// TestDateFormats: a text is a day of the chosen format or an error that names the format; never a guess.
func TestDateFormats(t *testing.T) {
	last := time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		text string
		as   []DateFormat // that read it, all as 31 December 2026 or as the day below
		day  time.Time
	}{
		{"31/12/2026", []DateFormat{British}, last},
		{"12/31/2026", []DateFormat{American}, last},
		{"31.12.2026", []DateFormat{European}, last},
		{"2026-12-31", []DateFormat{ISO}, last},
		{"1/2/2026", []DateFormat{British}, time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)},
		{"01.2.2026", []DateFormat{European}, time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)},
		{"2026-2-1", []DateFormat{ISO}, time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)},
		{"29/2/2024", []DateFormat{British}, time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)},
		{"29/02/2026", nil, last}, {"31/04/2026", nil, last}, {"0/1/2026", nil, last}, {"1/0/2026", nil, last},
		{"13/13/2026", nil, last},
		{"31/12/26", nil, last}, {"31/12/02026", nil, last}, {"031/12/2026", nil, last}, {"31/12", nil, last},
		{"31/12/2026/", nil, last},
		{"31 12 2026", nil, last}, {"31/12/2026 10:00", nil, last}, {"31/ 12/2026", nil, last}, {"+1/12/2026", nil, last},
		{"31-12-2026", nil, last},
		{"20261231", nil, last}, {"46387", nil, last}, {"", nil, last}, {"٣١/١٢/٢٠٢٦", nil, last}, {"31/12/1899", nil, last},
		{"31 Dec 2026", nil, last},
	} {
		for _, f := range append(DateFormats(), 0, 99) {
			got, err := f.Parse(test.text)
			want := slices.Contains(test.as, f)
			if test.text == "1/2/2026" && f == American { // 2 January
				want, got = true, got.AddDate(0, 1, -1)
			}
			if want != (err == nil) || want && !got.Equal(test.day) {
				t.Errorf("%q as %v: %v, %v", test.text, f.Title(), got, err)
			}
			if err == nil && f.Format(got) == "" {
				t.Errorf("%v is not written", got)
			}
		}
	}
	cell := Cell{Row: 7, Column: 3, Kind: Text, Text: "31/12/2026"}
	_, f := cell.AsDate(American)
	if f == nil || f.Code != "date" || !strings.Contains(f.Message, "C7") ||
		!strings.Contains(f.Message, `"31/12/2026"`) || !strings.Contains(f.Message, "American") ||
		!strings.Contains(f.Message, "MM/dd/yyyy") || !strings.Contains(f.Message, "12/31/2026") {
		t.Errorf("%+v does not name cell, value, format and cure", f)
	}
	if _, f = (Cell{Row: 7, Column: 3, Kind: Number, Text: "46387"}).AsDate(ISO); f == nil ||
		!strings.Contains(f.Message, "Format the cell as a date") {
		t.Errorf("%+v does not say that it is a number", f)
	}
	for name, want := range map[string]DateFormat{"british": British, "european": European, "american": American,
		"iso": ISO} {
		if got, ok := DateFormatNamed(name); !ok || got != want || got.String() != name {
			t.Errorf("%s is %v", name, got)
		}
	}
	for _, name := range []string{"", "British", "unknown"} {
		if _, ok := DateFormatNamed(name); ok {
			t.Errorf("%q is a format", name)
		}
	}
}

// TestDateCells: a real date is a date whatever the format; a number is none.
func TestDateCells(t *testing.T) {
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for _, f := range DateFormats() {
		if got, wrong := DateCell(day.Add(13 * time.Hour)).AsDate(f); wrong != nil || !got.Equal(day) {
			t.Error(got, wrong)
		}
		if got, wrong := TextCell("\u00a0 " + f.Format(day) + "\t").AsDate(f); wrong != nil || !got.Equal(day) {
			t.Error(got, wrong)
		}
		if got, wrong := TextCell("  ").AsDate(f); wrong != nil || !got.IsZero() {
			t.Error(got, wrong)
		}
		for _, c := range []Cell{{Kind: Number, Text: "46387"}, BoolCell(true), {Kind: ErrorValue, Text: "#REF!"},
			{Kind: FormulaWithoutValue}} {
			if _, wrong := c.AsDate(f); wrong == nil || wrong.Message == "" {
				t.Errorf("%v is a date", c)
			}
		}
	}
}

// TestYesNo: TRUE/FALSE, YES/NO, Y/N, 1/0 in any case, or a real boolean cell; nothing else.
func TestYesNo(t *testing.T) {
	for _, s := range []string{"TRUE", "true", "Yes", "y", " Y ", "1", "\u00a0yes"} {
		if got, f := TextCell(s).AsBool(); !got || f != nil {
			t.Errorf("%q: %v, %v", s, got, f)
		}
	}
	for _, s := range []string{"FALSE", "False", "NO", "n", "0", "", "  "} {
		if got, f := TextCell(s).AsBool(); got || f != nil {
			t.Errorf("%q: %v, %v", s, got, f)
		}
	}
	for _, c := range []Cell{BoolCell(true), {Kind: Number, Text: "1"}} {
		if got, f := c.AsBool(); !got || f != nil {
			t.Errorf("%v: %v, %v", c, got, f)
		}
	}
	for _, c := range []Cell{TextCell("maybe"), TextCell("2"), TextCell("ja"), {Kind: Number, Text: "2"},
		{Kind: FormulaWithoutValue}, {Kind: ErrorValue}, DateCell(time.Now())} {
		if _, f := c.AsBool(); f == nil {
			t.Errorf("%v is yes or no", c)
		}
	}
}

// TestCodes: lists are separated by ";", trimmed, without blanks, each code once without regard to case, in order.
func TestCodes(t *testing.T) {
	for in, want := range map[string]string{
		"": "[]", ";; ;": "[]", "A": "[A]", " B ;A;b;\u00a0C\u00a0;;a": "[B A C]", "x y;x  y": "[x y x  y]",
	} {
		if got := fmt.Sprint(SplitCodes(in)); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
	codes := []string{"B", "A", "ä"}
	if got := SplitCodes(JoinCodes(codes)); !slices.Equal(got, codes) {
		t.Error(got)
	}
	if _, f := (Cell{Kind: FormulaWithoutValue, Row: 2, Column: 35}).AsCodes(); f == nil ||
		f.Code != "formulaWithoutValue" || !strings.HasPrefix(f.Message, "AI2 ") {
		t.Error(f)
	}
}

// TestNumberText: a number is the text that General shows for it.
func TestNumberText(t *testing.T) {
	for x, want := range map[float64]string{
		0: "0", math.Copysign(0, -1): "0", 7: "7", -7.5: "-7.5", 447700900123: "447700900123", 0.1 + 0.2: "0.3",
		1e15:               "1000000000000000",
		123456789012345678: "123456789012346000", 1e20: "100000000000000000000", 1e21: "1E+21", 1.5e-10: "1.5E-10",
		0.0001: "0.0001", 1.0 / 3: "0.333333333333333",
	} {
		if got := numberText(x, cellFormat{}); got != want {
			t.Errorf("%v: %s, want %s", x, got, want)
		}
	}
	for x, want := range map[float64]string{7: "0007", 12345: "12345", -7: "-7", 7.5: "7.5", 0: "0000"} {
		if got := numberText(x, cellFormat{zeros: 4}); got != want {
			t.Errorf("%v as 0000: %s, want %s", x, got, want)
		}
	}
}

// TestSerials: every day of Excel has a number, and comes back from it (18.17.4.1).
func TestSerials(t *testing.T) {
	for d := time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC); d.Year() < 10000; d = d.AddDate(0, 0, 1) {
		n, ok := daySerial(d)
		back, _, ok2 := serialDay(float64(n), false)
		if !ok || !ok2 || !back.Equal(d) {
			t.Fatalf("%v: %d, %v, %v, %v", d, n, ok, back, ok2)
		}
	}
	for _, x := range []float64{math.NaN(), math.Inf(1), -1e300, 1e300, -1, 0, 60} {
		if d, _, ok := serialDay(x, false); ok {
			t.Errorf("%v is %v", x, d)
		}
	}
	if _, ok := daySerial(time.Date(1899, 12, 31, 0, 0, 0, 0, time.UTC)); ok {
		t.Error("a day before 1900 has a number")
	}
}

// TestAddresses: columns are named as Excel names them.
func TestAddresses(t *testing.T) {
	for n, want := range map[int]string{1: "A", 26: "Z", 27: "AA", 36: "AJ", 52: "AZ", 53: "BA", 702: "ZZ", 703: "AAA",
		16384: "XFD", 0: "?", -1: "?", 16385: "?"} {
		if got := ColumnName(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
	for n := 1; n <= maxSheetColumns; n++ {
		if c, r := parseAddress([]byte(Address(n*7, n))); c != n || r != n*7 {
			t.Fatalf("%d is read as %d, %d", n, c, r)
		}
	}
	for _, bad := range []string{"", "A", "1", "A0", "a1", "A-1", "$A$1", "AAAA1", "XFE1", "A12345678", "A1B", "1A",
		"Ä1"} {
		if c, r := parseAddress([]byte(bad)); c != 0 || r != 0 {
			t.Errorf("%q is read as %d, %d", bad, c, r)
		}
	}
}

// header returns a header row of texts.
func header(names ...string) Row {
	r := Row{Number: 1}
	for i, name := range names {
		c := TextCell(name)
		c.Row, c.Column = 1, i+1
		r.Cells = append(r.Cells, c)
	}
	return r
}

// TestHeadings: headings are matched by name, in any order, without regard to case and spaces; an unknown one is an
// error that suggests the nearest; a doubled one names both columns.
func TestHeadings(t *testing.T) {
	want := []Heading{{"Username", true}, {"First name", false}, {"Last name", false}, {"Date from", false},
		{"Date to", false}, {"Email", false}, {"Resource", false}}
	codes := func(fs []fault.Field) string {
		var all []string
		for _, f := range fs {
			all = append(all, f.Code+":"+f.Field)
		}
		return strings.Join(all, "|")
	}
	for _, test := range []struct {
		name, want, message string
		row                 Row
	}{
		{"any order, case and spaces", "", "",
			header("EMAIL", " first\u00a0 NAME ", "user name", "DateTo", "lastname\u200b")},
		{"the columns we add", "", "", header("Username", "", "result", "Errors")},
		{"unknown, one letter off", "unknownHeading:Usernme|missingHeading:Username", `did you mean "Username"?`,
			header("Usernme")},
		{"unknown, two letters swapped", "unknownHeading:Emial", `A1: "Emial"`,
			Row{Number: 1, Cells: append(header("Emial").Cells, header("", "Username").Cells[1:]...)}},
		{"the nearest that is not there yet", "unknownHeading:Date tom", `did you mean "Date to"?`,
			header("Username", "Date from", "Date tom")},
		{"unknown, like none", "unknownHeading:Shoe size", `correct it, or remove the column`,
			header("Username", "Shoe size")},
		{"doubled", "doubledHeading:First name", "column B and column D",
			header("Username", "First name", "Email", "FIRSTNAME")},
		{"missing", "missingHeading:Username", "row 1", header("First name")},
		{"an error value", "cellError:B1", "B1",
			Row{Number: 1, Cells: []Cell{header("Username").Cells[0], {Row: 1, Column: 2, Kind: ErrorValue, Text: "#REF!"}}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, wrong := MatchHeadings(test.row, want)
			if got := codes(wrong); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			if len(wrong) > 0 && !strings.Contains(wrong[0].Message, test.message) {
				t.Errorf("%q does not say %q", wrong[0].Message, test.message)
			}
		})
	}
	_, near := MatchHeadings(header("Cat", "Cax"), []Heading{{"Cat", false}, {"Car", false}})
	if len(near) != 1 || !strings.Contains(near[0].Message, `"Car"`) {
		t.Errorf("%+v: between equals, the one that is absent is the nearest", near)
	}
	h, wrong := MatchHeadings(header("Email", "", "Username", "Result"), want)
	if wrong != nil || !h.Present(0) || h.Present(1) || !h.Present(5) || h.Present(-1) || h.Present(7) ||
		h.Column(0) != 3 || h.Column(1) != 0 {
		t.Errorf("%+v, %v", h, wrong)
	}
	row := header("kim@x", " ", "kim", "created")
	row.Number = 9
	if c := h.Cell(row, 0); c.Text != "kim" {
		t.Errorf("%+v", c)
	}
	if c := h.Cell(row, 1); !c.IsBlank() || c.Row != 9 {
		t.Errorf("%+v", c)
	}
	if f := h.ValueWithoutHeading(row); f != nil {
		t.Errorf("%+v", f)
	}
	for _, stray := range []Row{header("", "x"), header("", "", "", "", "x"),
		{Number: 9, Cells: []Cell{{Column: 2, Kind: FormulaWithoutValue}}}} {
		if f := h.ValueWithoutHeading(stray); f == nil || f.Code != "blankHeading" ||
			!strings.Contains(f.Message, "no heading") {
			t.Errorf("%+v for %+v", f, stray)
		}
	}
}

// TestDistance: letters put in, left out, changed, or swapped.
func TestDistance(t *testing.T) {
	for pair, want := range map[[2]string]int{{"", ""}: 0, {"", "abc"}: 3, {"abc", ""}: 3, {"abc", "abc"}: 0,
		{"abc", "abd"}: 1, {"abc", "acb"}: 1, {"abc", "ab"}: 1, {"abc", "xabc"}: 1, {"kitten", "sitting"}: 3} {
		if got := distance([]rune(pair[0]), []rune(pair[1])); got != want {
			t.Errorf("%q: %d, want %d", pair, got, want)
		}
	}
}

// TestQuote: a value in a message is short, and holds nothing that hides the rest of it.
func TestQuote(t *testing.T) {
	for in, want := range map[string]string{"a": `"a"`, " a\x00b\u202ec\n\u202e": `"a b c"`,
		strings.Repeat("x", 99): `"` + strings.Repeat("x", 60) + `..."`, "\xff": `" "`} {
		if got := quote(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

package sheet

import (
	"strings"
	"testing"
	"time"

	"useraccounts/internal/fault"
)

// What a spreadsheet makes of a text that it takes for something else is no text: the cell says so and how to type it
// again, as two long ids must not become one.
func TestDamagedTextsAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		cell Cell
		code string
	}{
		"a date, of mar1":                 {DateCell(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)), "dateForText"},
		"a boolean":                       {BoolCell(true), "boolForText"},
		"a number of 19 digits":           {Cell{Kind: Number, Text: "1914310000010100000"}, "numberForText"},
		"a number of 16 digits":           {Cell{Kind: Number, Text: "-1234567890123450"}, "numberForText"},
		"a number with an exponent":       {Cell{Kind: Number, Text: "1E+21"}, "numberForText"},
		"a text in scientific notation":   {TextCell("1.23457E+12"), "numberForText"},
		"a mobile in scientific notation": {TextCell(" 4.47946E+11 "), "numberForText"},
		"a number of 15 digits":           {Cell{Kind: Number, Text: "447911123456789"}, ""},
		"a small fraction":                {Cell{Kind: Number, Text: "0.000000001234567890123456"}, ""},
		"a name with an E":                {TextCell("1E5"), ""},
		"a version":                       {TextCell("v1.2E+34"), ""},
		"a sum":                           {TextCell("12.5E+10"), ""},
	} {
		c.cell.Row, c.cell.Column = 2, 1
		_, text := c.cell.AsText()
		_, codes := c.cell.AsCodes()
		for kind, f := range map[string]string{"text": code(text), "codes": code(codes)} {
			if f != c.code {
				t.Errorf("%s as %s: %q, want %q", name, kind, f, c.code)
			}
		}
		if text != nil &&
			(!strings.HasPrefix(text.Message, "A2 ") || !strings.HasSuffix(text.Message, "type the value again.")) {
			t.Errorf("%s: %s", name, text.Message)
		}
	}
}

// A date counts by its value rounded to the second, as spreadsheets show it; a time of day beside it is told.
func TestDatesAreRoundedToTheSecond(t *testing.T) {
	for name, c := range map[string]struct {
		serial float64
		day    string
		timed  bool
	}{
		"a hair before midnight": {47847.99999999999, "2030-12-31", false},
		"midnight":               {47848, "2030-12-31", false},
		"a hair after":           {47848.000001, "2030-12-31", false},
		"noon":                   {47848.5, "2030-12-31", true},
		"a second before":        {47848 - 1.0/secondsOfDay, "2030-12-30", true},
	} {
		day, timed, ok := serialDay(c.serial, false)
		if got := day.Format(time.DateOnly); got != c.day || timed != c.timed || !ok {
			t.Errorf("%s: %s, time %v, %v", name, got, timed, ok)
		}
	}
	for text, want := range map[string]string{
		"2030-12-30T23:59:59.9996Z": "2030-12-31", "2030-12-31T00:00:00": "2030-12-31", "2030-12-31": "2030-12-31",
	} {
		if day, timed, ok := isoDay(text); day.Format(time.DateOnly) != want || timed || !ok {
			t.Errorf("%s: %v, time %v, %v", text, day, timed, ok)
		}
	}
	if _, timed, ok := isoDay("2030-12-31T08:30"); !timed || !ok {
		t.Error("a time of day is not told")
	}
}

func code(f *fault.Field) string {
	if f == nil {
		return ""
	}
	return f.Code
}

func TestSplitCodesTakesEverySeparator(t *testing.T) {
	for _, text := range []string{"VIEWER;EDITOR", "VIEWER；EDITOR", "VIEWER\nEDITOR", "VIEWER\r\nEDITOR\n",
		"VIEWER;\u2028EDITOR;"} {
		if codes := SplitCodes(text); strings.Join(codes, "|") != "VIEWER|EDITOR" {
			t.Errorf("%q: %q", text, codes)
		}
	}
}

func TestHiddenRowsAreRead(t *testing.T) {
	wb := mustOpen(t, book{}.rows(`<row r="1"><c r="A1" t="inlineStr"><is><t>Username</t></is></c></row>`+
		`<row r="2"><c r="A2" t="inlineStr"><is><t>a</t></is></c></row>`+
		`<row r="3" hidden="1"><c r="A3" t="inlineStr"><is><t>b</t></is></c></row>`).bytes(t))
	var hidden []bool
	for row, err := range wb.Data(10) {
		if err != nil {
			t.Fatal(err)
		}
		hidden = append(hidden, row.Hidden)
	}
	if len(hidden) != 2 || hidden[0] || !hidden[1] {
		t.Errorf("%v", hidden)
	}
}

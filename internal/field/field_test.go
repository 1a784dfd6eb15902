package field_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"useraccounts/internal/field"
)

// record has one field of each kind.
type record struct {
	Name, Mail, Phone, Type string
	Codes                   []string
	On                      bool
	Day                     field.Date
	At, Seen                time.Time
	Count, Tries            int64
}

func recordTable() field.Table[record] {
	return field.Table[record]{
		{Name: "name", Label: "Name", Kind: field.Text, Max: 5, Required: true, At: func(v *record) any { return &v.Name }},
		{Name: "mail", Label: "Mail", Kind: field.Email, At: func(v *record) any { return &v.Mail }},
		{Name: "phone", Label: "Phone", Kind: field.Phone, At: func(v *record) any { return &v.Phone }},
		{Name: "type", Label: "Type", Kind: field.Code, Max: field.MaxCode, At: func(v *record) any { return &v.Type }},
		{Name: "codes", Label: "Codes", Kind: field.Codes, Max: 3, At: func(v *record) any { return &v.Codes }},
		{Name: "on", Label: "On", Kind: field.Bool, At: func(v *record) any { return &v.On }},
		{Name: "day", Label: "Day", Kind: field.Day, At: func(v *record) any { return &v.Day }},
		{Name: "at", Label: "At", Kind: field.Instant, ReadOnly: true, At: func(v *record) any { return &v.At }},
		{Name: "count", Label: "Count", Kind: field.Number, ReadOnly: true, At: func(v *record) any { return &v.Count }},
		{Name: "seen", Label: "Seen", Kind: field.Instant, ReadOnly: true, Live: true,
			At: func(v *record) any { return &v.Seen }},
		{Name: "tries", Label: "Tries", Kind: field.Number, ReadOnly: true, Live: true,
			At: func(v *record) any { return &v.Tries }},
	}
}

func fullRecord() record {
	at := time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)
	return record{
		Name: "n", Mail: "m@x.de", Phone: "1", Type: "T", Codes: []string{"A", "B"}, On: true, Day: "2026-01-02",
		At: at, Seen: at, Count: 3, Tries: 2,
	}
}

func TestParseDateTakesDaysThatExist(t *testing.T) {
	for text, want := range map[string]bool{
		"2026-12-31": true, "2024-02-29": true, "0001-01-01": true, "9999-12-31": true,
		"2026-02-29": false, "2026-13-01": false, "2026-00-10": false, "2026-1-05": false, "2026-01-5": false,
		"26-01-05":   false,
		"0000-01-01": false, "10000-01-01": false, "2026-01-05T00:00:00Z": false, " 2026-01-05": false, "2026-01-05 ": false,
		"31/12/2026": false, "": false, "２０２６-01-05": false, "-001-01-01": false,
	} {
		got, ok := field.ParseDate(text)
		if ok != want || (ok && string(got) != text) || (!ok && got != "") {
			t.Errorf("ParseDate(%q) = %q, %v", text, got, ok)
		}
	}
}

func TestDateOfIsTheDayInUTC(t *testing.T) {
	late := time.Date(2026, 1, 5, 23, 30, 0, 0, time.FixedZone("west", -3600))
	if got := field.DateOf(late); got != "2026-01-06" {
		t.Errorf("DateOf = %s, want the 6th", got)
	}
}

func TestApplySetsEachKind(t *testing.T) {
	var v record
	faults := recordTable().Apply(&v, field.Patch{
		"name": " Zoe\u0301 ", "mail": "m@x.de", "phone": "1", "type": "T", "codes": []string{" a ", "A", "b"}, "on": true,
		"day": field.Date("2026-01-02"),
	})
	want := record{Name: "Zoé", Mail: "m@x.de", Phone: "1", Type: "T", Codes: []string{"a", "b"}, On: true,
		Day: "2026-01-02"}
	if faults != nil || !reflect.DeepEqual(v, want) {
		t.Errorf("v = %+v, faults = %+v", v, faults)
	}
}

// An absent field stays; null clears it.
func TestApplyTellsAbsentFromNull(t *testing.T) {
	v := fullRecord()
	if faults := recordTable().Apply(&v, field.Patch{}); faults != nil || !reflect.DeepEqual(v, fullRecord()) {
		t.Errorf("an empty patch made %+v, faults %+v", v, faults)
	}
	faults := recordTable().Apply(&v,
		field.Patch{"name": nil, "mail": nil, "phone": nil, "type": nil, "codes": nil, "on": nil, "day": nil})
	want := record{At: fullRecord().At, Seen: fullRecord().Seen, Count: 3, Tries: 2}
	if faults != nil || !reflect.DeepEqual(v, want) {
		t.Errorf("nulls made %+v, faults %+v", v, faults)
	}
}

func TestApplyRefuses(t *testing.T) {
	for _, c := range []struct {
		name, field, code string
		value             any
	}{
		{"one character too many", "name", "tooLong", "123456"},
		{"a line feed within", "name", "controlCharacter", "a\nb"},
		{"a NUL", "name", "controlCharacter", "a\x00b"},
		{"an escape", "name", "controlCharacter", "\x1b[1m"},
		{"a line separator", "name", "controlCharacter", "a\u2028b"},
		{"a paragraph separator", "name", "controlCharacter", "a\u2029b"},
		{"the replacement character", "name", "controlCharacter", "a\uFFFDb"},
		{"bytes that are no text", "name", "notText", "a\xffb"},
		{"1,001 characters where nothing is said", "phone", "tooLong", strings.Repeat("1", 1001)},
		{"one code too many", "codes", "tooMany", []string{"a", "b", "c", "d"}},
		{"a code too long", "codes", "tooLong", []string{"a", strings.Repeat("x", field.MaxCode+1)}},
		{"a code with a control character", "codes", "controlCharacter", []string{"a\tb"}},
		{"an instant", "at", "readOnly", "2026-01-01T00:00:00Z"},
		{"a number", "count", "readOnly", nil},
		{"a text where codes belong", "codes", "type", "A"},
		{"codes where a text belongs", "name", "type", []string{"A"}},
		{"a text where a date belongs", "day", "type", "2026-01-02"},
		{"a text where yes or no belongs", "on", "type", "true"},
		{"a number where a text belongs", "name", "type", 1},
	} {
		v := fullRecord()
		faults := recordTable().Apply(&v, field.Patch{c.field: c.value})
		if len(faults) != 1 || faults[0].Field != c.field || faults[0].Code != c.code || faults[0].Message == "" {
			t.Errorf("%s: %+v", c.name, faults)
		}
		if !reflect.DeepEqual(v, fullRecord()) {
			t.Errorf("%s: refused, and changed to %+v", c.name, v)
		}
	}
}

// Lengths are in characters after NFC, as people see them, not in bytes.
func TestLimitsHoldAtTheLimit(t *testing.T) {
	for name, p := range map[string]field.Patch{
		"5 characters":                  {"name": "12345"},
		"5 emoji":                       {"name": "😀😀😀😀😀"},
		"5 letters that are decomposed": {"name": strings.Repeat("e\u0301", 5)},
		"5 and blanks around":           {"name": "  12345\t\n"},
		"1,000 where nothing is said":   {"phone": strings.Repeat("1", 1000)},
		"3 codes of 50":                 {"codes": []string{strings.Repeat("x", 50), "b", "c"}},
	} {
		var v record
		if faults := recordTable().Apply(&v, p); faults != nil {
			t.Errorf("%s: %+v", name, faults)
		}
	}
}

// V78: invisible marks at the ends of a text are removed, as when a sheet is read. Otherwise an export would not be
// imported unchanged. Within a text such marks can matter, and stay.
func TestInvisibleMarksGoAtTheEndsOnly(t *testing.T) {
	for _, mark := range []string{"\u200b", "\u200e", "\u200f", "\u2060", "\ufeff", "\u00a0", "\u3000", " ", "\u00ad"} {
		var v record
		if faults := recordTable().Apply(&v, field.Patch{"name": mark + "a" + mark + "b" + mark}); faults != nil ||
			v.Name != "a"+mark+"b" {
			t.Errorf("%+q: name %+q, %+v", mark, v.Name, faults)
		}
	}
}

// Overrides of the direction are trimmed as well, and within a text they are refused by name and place.
func TestDirectionMarksAreRefused(t *testing.T) {
	for _, mark := range []string{"\u202a", "\u202e", "\u2066", "\u2069"} {
		var v record
		if faults := recordTable().Apply(&v, field.Patch{"name": mark + "ab" + mark}); faults != nil || v.Name != "ab" {
			t.Errorf("%+q: name %+q, %+v", mark, v.Name, faults)
		}
		faults := recordTable().Apply(&v, field.Patch{"name": "a" + mark + "b"})
		if want := fmt.Sprintf("%U after “a”", []rune(mark)[0]); len(faults) != 1 || faults[0].Code != "character" ||
			!strings.Contains(faults[0].Message, want) {
			t.Errorf("%+q: %+v, want %s", mark, faults, want)
		}
	}
}

// Every invalid field is named, in the table's order, and the valid ones are still read.
func TestApplyNamesEveryWrongField(t *testing.T) {
	var v record
	faults := recordTable().Apply(&v, field.Patch{"on": 1, "mail": "ok", "name": "123456", "count": 1})
	var names []string
	for _, f := range faults {
		names = append(names, f.Field)
	}
	if !reflect.DeepEqual(names, []string{"name", "on", "count"}) || v.Mail != "ok" {
		t.Errorf("%v, mail %q", names, v.Mail)
	}
}

func TestMissingNamesBlankRequiredFields(t *testing.T) {
	v := record{}
	if faults := recordTable().Missing(&v); len(faults) != 1 || faults[0].Field != "name" || faults[0].Code != "required" {
		t.Errorf("%+v", faults)
	}
	v.Name = "x"
	if faults := recordTable().Missing(&v); faults != nil {
		t.Errorf("%+v", faults)
	}
}

func TestCompareNamesWhatDiffersWithoutLiveFields(t *testing.T) {
	before, after := fullRecord(), record{Seen: time.Now(), Tries: 9}
	want := []field.Diff{
		{Field: "name", From: "n", To: nil}, {Field: "mail", From: "m@x.de", To: nil}, {Field: "phone", From: "1", To: nil},
		{Field: "type", From: "T", To: nil}, {Field: "codes", From: []string{"A", "B"}, To: nil},
		{Field: "on", From: true, To: false},
		{Field: "day", From: "2026-01-02", To: nil}, {Field: "at", From: "2026-01-02T03:04:05.678Z", To: nil},
		{Field: "count", From: int64(3), To: int64(0)},
	}
	if got := recordTable().Compare(&before, &after); !reflect.DeepEqual(got, want) {
		t.Errorf("Compare = %+v", got)
	}
	same := fullRecord()
	same.Codes = []string{"A", "B"}
	same.At = same.At.In(time.FixedZone("east", 3600))
	if got := recordTable().Compare(&before, &same); got != nil {
		t.Errorf("equal things differ in %+v", got)
	}
	same.Codes = []string{"B", "A"}
	if got := recordTable().Compare(&before, &same); len(got) != 1 {
		t.Errorf("another order of codes: %+v", got)
	}
	none, empty := record{}, record{Codes: []string{}}
	if got := recordTable().Compare(&none, &empty); got != nil {
		t.Errorf("nil and empty codes differ: %+v", got)
	}
}

func TestImageComesBack(t *testing.T) {
	v := fullRecord()
	image := recordTable().Image(&v)
	if _, live := image["seen"]; live || image["tries"] != nil {
		t.Errorf("the image holds live fields: %v", image)
	}
	var got record
	recordTable().SetImage(&got, image)
	want := fullRecord()
	want.Seen, want.Tries = time.Time{}, 0
	if !reflect.DeepEqual(got, want) {
		t.Errorf("came back as %+v", got)
	}
	if blank := recordTable().Image(&record{}); len(blank) != 0 {
		t.Errorf("the image of nothing is %v", blank)
	}
	v.Codes[0] = "changed"
	if image["codes"].([]string)[0] != "A" {
		t.Error("the image shares its codes with the thing")
	}
}

// Older code can read what newer code wrote, and damaged values read as blank.
func TestSetImageSkipsWhatItDoesNotKnow(t *testing.T) {
	var v record
	recordTable().SetImage(&v, map[string]any{
		"new": "x", "name": 3, "on": "yes", "codes": "A", "count": "3", "at": "yesterday", "day": true, "mail": "m",
		"tries": int64(4),
	})
	if want := (record{Mail: "m"}); !reflect.DeepEqual(v, want) {
		t.Errorf("v = %+v", v)
	}
}

func TestValueAndFind(t *testing.T) {
	v := fullRecord()
	for name, want := range map[string]any{"name": "n", "on": true, "count": int64(3), "nothing": nil, "Name": nil} {
		if got := recordTable().Value(&v, name); got != want {
			t.Errorf("Value(%s) = %v", name, got)
		}
	}
	if recordTable().Value(&record{}, "name") != nil || recordTable().Value(&record{}, "on") != false {
		t.Error("blank is not nil, or false")
	}
	if recordTable().Find("name") == nil || recordTable().Find("nothing") != nil {
		t.Error("Find")
	}
}

func TestCleanGivesWhatTheFieldWouldHold(t *testing.T) {
	d := recordTable().Find("name")
	if got, f := d.Clean(" e\u0301 "); got != "é" || f != nil {
		t.Errorf("%q %+v", got, f)
	}
	if got, f := d.Clean("123456"); got != "" || f == nil || f.Field != "name" || f.Code != "tooLong" {
		t.Errorf("%q %+v", got, f)
	}
}

func TestStampIsUTCToTheMillisecond(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 678999999, time.FixedZone("east", 2*3600))
	if got := field.FormatInstant(at); got != "2026-01-02T01:04:05.678Z" {
		t.Errorf("Stamp = %s", got)
	}
}

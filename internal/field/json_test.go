package field_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"useraccounts/internal/field"
)

func members(pairs ...string) map[string]jsontext.Value {
	out := map[string]jsontext.Value{}
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i]] = jsontext.Value(pairs[i+1])
	}
	return out
}

func TestReadPatchReadsEachKind(t *testing.T) {
	got, faults := recordTable().ReadPatch(
		members("name", `"n"`, "codes", `["A","B"]`, "on", `false`, "day", `"2026-01-02"`, "mail", `null`, "type", `""`))
	want := field.Patch{"name": "n", "codes": []string{"A", "B"}, "on": false, "day": field.Date("2026-01-02"),
		"mail": nil, "type": ""}
	if faults != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("patch %#v, faults %+v", got, faults)
	}
	if got, faults = recordTable().ReadPatch(members("day", `""`)); faults != nil || got["day"] != nil {
		t.Errorf("a blank date: %#v, %+v", got, faults)
	}
}

// C19, V59: types are strict; a list is not read as a text, nor a text as a list.
func TestReadPatchRefusesAnotherType(t *testing.T) {
	for _, c := range [][2]string{
		{"name", `["a","b"]`}, {"name", `1`}, {"name", `true`}, {"name", `{}`}, {"mail", `["a@x.de","b@x.de"]`},
		{"codes", `"A"`}, {"codes", `[1]`}, {"codes", `[["A"]]`}, {"codes", `[null]`},
		{"codes", `["A",null]`}, {"codes", `{}`}, {"on", `"true"`}, {"on", `1`},
		{"on", `[]`},
		{"day", `20260102`}, {"day", `"02/01/2026"`}, {"day", `"2026-02-30"`}, {"day", `["2026-01-02"]`}, {"day", `" "`},
	} {
		got, faults := recordTable().ReadPatch(members(c[0], c[1]))
		if len(faults) != 1 || faults[0].Field != c[0] || faults[0].Code != "type" || len(got) != 0 {
			t.Errorf("%s %s: patch %v, faults %+v", c[0], c[1], got, faults)
		}
	}
}

// V59: a read-only field is refused as that, whatever its type.
func TestAReadOnlyFieldIsRefusedWhateverItsType(t *testing.T) {
	for _, raw := range []string{`3`, `"x"`, `null`, `{}`, `"2026-01-01T00:00:00Z"`} {
		p, faults := recordTable().ReadPatch(members("count", raw))
		if faults != nil {
			t.Errorf("%s: %+v", raw, faults)
		}
		var v record
		if faults := recordTable().Apply(&v, p); len(faults) != 1 || faults[0].Code != "readOnly" {
			t.Errorf("%s: %+v", raw, faults)
		}
	}
}

// V59: unknown members are refused in a stable order, and long names are cut.
func TestReadPatchRefusesUnknownMembers(t *testing.T) {
	long := strings.Repeat("ä", 100)
	in := members("zebra", `1`, "Name", `"n"`, "passwordHash", `"x"`, long, `1`, "apple", `1`)
	for range 10 {
		p, faults := recordTable().ReadPatch(in)
		var names []string
		for _, f := range faults {
			if f.Code != "unknown" {
				t.Fatalf("%+v", f)
			}
			names = append(names, f.Field)
		}
		want := []string{"Name", "apple", "passwordHash", "zebra", strings.Repeat("ä", 60) + "…"}
		if !reflect.DeepEqual(names, want) || len(p) != 0 {
			t.Fatalf("%q, patch %v", names, p)
		}
	}
}

func TestAppendJSONWritesEveryField(t *testing.T) {
	for _, c := range []struct {
		v    record
		want string
	}{
		{record{}, `{"name":null,"mail":null,"phone":null,"type":null,"codes":[],"on":false,"day":null,"at":null,"count":0,"seen":null,"tries":0}`},
		{fullRecord(),
			`{"name":"n","mail":"m@x.de","phone":"1","type":"T","codes":["A","B"],"on":true,"day":"2026-01-02","at":"2026-01-02T03:04:05.678Z","count":3,"seen":"2026-01-02T03:04:05.678Z","tries":2}`},
	} {
		var out bytes.Buffer
		enc := jsontext.NewEncoder(&out)
		if err := enc.WriteToken(jsontext.BeginObject); err != nil {
			t.Fatal(err)
		}
		if err := recordTable().AppendJSON(enc, &c.v); err != nil {
			t.Fatal(err)
		}
		if err := enc.WriteToken(jsontext.EndObject); err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSpace(out.String()); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestAppendJSONFailsWithItsEncoder(t *testing.T) {
	v := fullRecord()
	enc := jsontext.NewEncoder(&bytes.Buffer{})
	for _, token := range []jsontext.Token{jsontext.BeginObject, jsontext.String("name"), jsontext.Null} {
		if err := enc.WriteToken(token); err != nil {
			t.Fatal(err)
		}
	}
	if err := recordTable().AppendJSON(enc, &v); err == nil {
		t.Error("a doubled member was written")
	}
}

func TestDescribeFollowsTheTable(t *testing.T) {
	meta := recordTable().Describe()
	if len(meta) != len(recordTable()) {
		t.Fatalf("%d of %d fields", len(meta), len(recordTable()))
	}
	for i, d := range recordTable() {
		want := field.Meta{
			Name: d.Name, Label: d.Label, Help: d.Help, Section: d.Section, Kind: d.Kind, Max: d.Max,
			Required: d.Required, ReadOnly: d.ReadOnly, DefaultGrid: d.Grid, Refers: d.Refers, Choices: d.Choices,
		}
		if !reflect.DeepEqual(meta[i], want) {
			t.Errorf("%+v, want %+v", meta[i], want)
		}
	}
}

// C21, C50: any JSON object gives either a patch for Apply, or faults with names of members; never a panic. What is
// accepted has no control characters and is the same again in JSON.
func FuzzReadPatch(f *testing.F) {
	f.Add([]byte(`{"name":"n","codes":["A"],"on":true,"day":"2026-01-02"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		in := map[string]jsontext.Value{}
		if json.Unmarshal(body, &in) != nil {
			return
		}
		p, faults := recordTable().ReadPatch(in)
		if len(p)+len(faults) != len(in) {
			t.Errorf("%d members gave %d fields and %d faults", len(in), len(p), len(faults))
		}
		before := fullRecord()
		v := fullRecord()
		faults = recordTable().Apply(&v, p)
		if len(faults) == 0 && strings.ContainsAny(v.Name+v.Mail+strings.Join(v.Codes, ""), "\x00\n\r\x1b") {
			t.Errorf("%q was taken", v.Name)
		}
		if v.Count != before.Count || !v.At.Equal(before.At) || v.Tries != before.Tries {
			t.Error("a read-only field changed")
		}
		again := v
		if rest := recordTable().Apply(&again, field.Patch{"name": v.Name, "mail": v.Mail, "codes": v.Codes}); rest != nil ||
			!reflect.DeepEqual(again, v) {
			t.Errorf("what was taken is not taken again: %+v", rest)
		}
	})
}

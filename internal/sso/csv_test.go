package sso

import (
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"useraccounts/internal/fault"
)

func readAll(t *testing.T, text string) ([]CSVRow, error) {
	t.Helper()
	var out []CSVRow
	for line, err := range ReadCSV(strings.NewReader(text)) {
		if err != nil {
			return out, err
		}
		out = append(out, line)
	}
	return out, nil
}

func TestReadCSVTakesFilesAsProgramsWriteThem(t *testing.T) {
	want := []CSVRow{
		{Number: 2, Email: "a@example.com", ObjectID: "id-1"},
		{Number: 3, Email: "b@example.com", ObjectID: "id;2"},
	}
	for name, text := range map[string]string{
		"plain":             "email,object_id\na@example.com,id-1\nb@example.com,id;2\n",
		"no last line end":  "email,object_id\na@example.com,id-1\nb@example.com,id;2",
		"byte order mark":   "\ufeffemail,object_id\na@example.com,id-1\nb@example.com,id;2\n",
		"CRLF":              "email,object_id\r\na@example.com,id-1\r\nb@example.com,id;2\r\n",
		"semicolons":        "Email;Object_ID\na@example.com;id-1\nb@example.com;\"id;2\"\n",
		"tabs":              "EMAIL\tObject ID\na@example.com\tid-1\nb@example.com\tid;2\n",
		"quotes":            "\"email\",\"object_id\"\n\"a@example.com\",\"id-1\"\n\"b@example.com\",\"id;2\"\n",
		"order and others":  "name,objectid,x,e-mail\n\"A, B\",id-1,,a@example.com\nB,id;2,,b@example.com,more,cells\n",
		"space":             " email , object_id \n a@example.com , id-1 \n\u00a0b@example.com,id;2\n",
		"empty lines":       "email,object_id\na@example.com,id-1\nb@example.com,id;2\n\n,\n  ,  \n",
		"quoted after mark": "\ufeff\"email\",\"object_id\"\na@example.com,id-1\nb@example.com,id;2\n",
	} {
		got, err := readAll(t, text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestReadCSVNamesTheLineThatIsWrongAndGoesOn(t *testing.T) {
	got, err := readAll(t,
		"email,object_id\na@example.com\n,id-2\nb\"c,id-3\nd@example.com,id-4\n"+strings.Repeat("x", 2000)+
			",id-5\n\xffe@example.com,id-6\n")
	if err != nil {
		t.Fatal(err)
	}
	var results []string
	for _, l := range got {
		what := "good"
		if l.Fault != nil {
			what = l.Fault.Field + " " + l.Fault.Code
		}
		results = append(results, fmt.Sprint(l.Number, " ", what))
	}
	want := []string{
		"2 object_id required", "3 email required", "4 line quotes", "5 good", "6 email tooLong",
		"7 email encoding",
	}
	if !reflect.DeepEqual(results, want) {
		t.Errorf("got %q, want %q", results, want)
	}
}

func TestReadCSVRefusesWhatIsNoSuchFile(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"nothing":         {"", "empty"},
		"white space":     {" \n\n", "empty"},
		"workbook":        {"PK\x03\x04aaaa", "workbook"},
		"UTF-16":          {"\xff\xfee\x00m\x00", "UTF-8"},
		"no heading":      {"a@example.com,id-1\n", "neither"},
		"no object_id":    {"email,id\n", "no heading object_id"},
		"no email":        {"object_id\n", "no heading email"},
		"a heading twice": {"email,object_id,Email\n", "repeated"},
		"broken heading":  {"em\"ail,object_id\n", "headings"},
	} {
		_, err := readAll(t, c.text)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(fault.As(err).Fields[0].Message, c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// As V69, for CSV: a file over the bound is refused, and reading stops there.
func TestReadCSVStopsAtTheMostLines(t *testing.T) {
	read := 0
	body := func(lines int) io.Reader {
		return io.MultiReader(strings.NewReader("email,object_id\n"),
			&repeatReader{text: "a@example.com,id\n", left: lines, read: &read})
	}
	count := func(r io.Reader) (n int, err error) {
		for _, err := range ReadCSV(r) {
			if err != nil {
				return n, err
			}
			n++
		}
		return n, nil
	}
	if n, err := count(body(MaxRows)); n != MaxRows || err != nil {
		t.Errorf("at the bound: %d, %v", n, err)
	}
	read = 0
	if n, err := count(body(100 * MaxRows)); n != MaxRows || !fault.Is(err, fault.Invalid) {
		t.Errorf("over the bound: %d, %v", n, err)
	}
	if read > MaxRows+10_000 {
		t.Errorf("read %d lines of a file that is refused at %d", read, MaxRows)
	}
}

type repeatReader struct {
	text string
	left int
	read *int
}

func (r *repeatReader) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	r.left--
	*r.read++
	return copy(p, r.text), nil
}

func FuzzReadCSV(f *testing.F) {
	for _, seed := range []string{
		"email,object_id\na@b.c,1\n", "\ufeffemail;object_id\n\"x\"\"\";2",
		"email\tobject_id\n\"", "object_id,email\r\n,\r\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		last := 0
		for line, err := range ReadCSV(strings.NewReader(text)) {
			if err != nil {
				if fault.As(err) == nil {
					t.Fatalf("not a fault: %v", err)
				}
				return
			}
			if line.Number <= last {
				t.Fatalf("line %d after %d", line.Number, last)
			}
			last = line.Number
			if line.Fault == nil &&
				(line.Email == "" || line.ObjectID == "" || len(line.Email) > maxCell || len(line.ObjectID) > maxCell) {
				t.Fatalf("a good line of %q and %q", line.Email, line.ObjectID)
			}
		}
	})
}

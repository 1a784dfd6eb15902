package sso

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"useraccounts/internal/fault"
)

const (
	// MaxRows is how many lines one file may have below its headings.
	MaxRows = 50_000
	// maxCell bounds a cell in bytes, before anything is made of it (C51): the longest email in UTF-8 fits.
	maxCell = 4 * MaxEmail
)

// CSVRow is one line of a CSV file of links.
type CSVRow struct {
	// Number is the line of the file it begins on, from 1; the headings are usually on line 1.
	Number int
	// Email and ObjectID are as the file has them, without white space around.
	Email, ObjectID string
	// Bad says what is wrong with the line, if it cannot be used; Email and ObjectID may then be empty.
	Bad *fault.Field
}

// ReadCSV reads a file of links line by line: email and object_id, in any order and among other columns, the headings
// in any case, cells parted by commas, semicolons or tabs, with quotes where needed (RFC 4180) and with or without a
// byte order mark. Lines that cannot be used come with Bad; blank ones do not come at all. The first error ends the
// reading: an Invalid fault for a file that is no such CSV or is too long, else what r said.
func ReadCSV(r io.Reader) iter.Seq2[CSVRow, error] {
	return func(yield func(CSVRow, error) bool) {
		rows, at, err := openCSV(r)
		if err != nil {
			yield(CSVRow{}, err)
			return
		}
		for count := 0; ; {
			cells, err := rows.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			row, err := at.row(rows, cells, err)
			if err == nil && row.Bad == nil && row.Email == "" && row.ObjectID == "" {
				continue
			}
			if count++; err == nil && count > MaxRows {
				err = fileFault("tooLong", "The file has more than 50,000 lines. Split it into smaller files.")
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

// columns is where a file has what counts.
type columns struct{ email, objectID int }

func (at columns) row(rows *csv.Reader, cells []string, err error) (CSVRow, error) {
	var parseErr *csv.ParseError
	if errors.As(err, &parseErr) {
		return CSVRow{Number: parseErr.StartLine, Bad: &fault.Field{Field: "line", Code: "quotes",
			Message: "The quotes of this line do not match. Put quotes around a whole cell, and double those within it."}}, nil
	}
	if err != nil {
		return CSVRow{}, err
	}
	number, _ := rows.FieldPos(0)
	row := CSVRow{Number: number}
	for _, c := range []struct {
		into *string
		at   int
		name string
	}{{&row.Email, at.email, "email"}, {&row.ObjectID, at.objectID, "object_id"}} {
		if c.at >= len(cells) {
			continue
		}
		text := strings.TrimSpace(cells[c.at])
		switch {
		case len(text) > maxCell:
			row.Bad = &fault.Field{Field: c.name, Code: "tooLong", Message: "This is too long for an " + c.name + "."}
		case !utf8.ValidString(text):
			row.Bad = &fault.Field{Field: c.name, Code: "encoding",
				Message: "This is not UTF-8. Save the file as \"CSV UTF-8\"."}
		default:
			*c.into = strings.Clone(text) // the reader uses its memory again
		}
	}
	if row.Bad == nil && row.Email == "" && row.ObjectID != "" {
		row.Bad = &fault.Field{Field: "email", Code: "required", Message: "This line has no email."}
	}
	if row.Bad == nil && row.ObjectID == "" && row.Email != "" {
		row.Bad = &fault.Field{Field: "object_id", Code: "required", Message: "This line has no object_id."}
	}
	return row, nil
}

// openCSV reads up to the headings.
func openCSV(r io.Reader) (*csv.Reader, columns, error) {
	in := bufio.NewReaderSize(r, 16<<10)
	start, err := in.Peek(4 << 10)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, columns{}, err
	}
	switch {
	case len(bytes.TrimSpace(start)) == 0:
		return nil, columns{},
			fileFault("empty", "The file is empty. It needs the headings email and object_id, and a line for each person.")
	case bytes.HasPrefix(start, []byte("PK\x03\x04")):
		return nil, columns{},
			fileFault("format", "This is a workbook, not a CSV file. Save it as \"CSV UTF-8\" in the spreadsheet program.")
	case bytes.HasPrefix(start, []byte("\xff\xfe")), bytes.HasPrefix(start, []byte("\xfe\xff")),
		bytes.IndexByte(start, 0) >= 0:
		return nil, columns{}, fileFault("encoding", "This is not UTF-8 text. Save the file as \"CSV UTF-8\".")
	}
	if bom := []byte("\xef\xbb\xbf"); bytes.HasPrefix(start, bom) {
		_, _ = in.Discard(len(bom)) // is buffered
		start = start[len(bom):]
	}
	rows := csv.NewReader(in)
	rows.Comma, rows.FieldsPerRecord, rows.ReuseRecord, rows.TrimLeadingSpace = detectSeparator(start), -1, true, true
	headings, err := rows.Read()
	if err != nil {
		return nil, columns{},
			fileFault("headings", "The first line cannot be read as headings. It needs the columns email and object_id.")
	}
	at, err := findColumns(headings)
	return rows, at, err
}

// detectSeparator is what parts the cells of the first line most often.
func detectSeparator(start []byte) rune {
	first, _, _ := bytes.Cut(bytes.TrimLeft(start, "\r\n"), []byte("\n"))
	best, most := ',', bytes.Count(first, []byte(","))
	for _, r := range ";\t" {
		if n := bytes.Count(first, []byte(string(r))); n > most {
			best, most = r, n
		}
	}
	return best
}

func findColumns(headings []string) (columns, error) {
	plain := make([]string, len(headings))
	for i, h := range headings {
		plain[i] = strings.Map(func(r rune) rune {
			if strings.ContainsRune(" _-\u00a0", r) {
				return -1
			}
			return r
		}, strings.ToLower(h))
	}
	at := columns{slices.Index(plain, "email"), slices.Index(plain, "objectid")}
	switch {
	case at.email < 0 && at.objectID < 0:
		return at, fileFault("headings", "The first line has neither the heading email nor object_id. It needs both.")
	case at.email < 0:
		return at, fileFault("headings", "The first line has no heading email.")
	case at.objectID < 0:
		return at, fileFault("headings", "The first line has no heading object_id.")
	case slices.Contains(plain[at.email+1:], "email"), slices.Contains(plain[at.objectID+1:], "objectid"):
		return at, fileFault("headings", "A heading stands twice in the first line. Leave one of the two columns out.")
	}
	return at, nil
}

func fileFault(code, message string) error {
	return fault.InvalidFields([]fault.Field{{Field: "file", Code: code, Message: message}})
}

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
	// MaxRows is the maximum number of rows of a file, without its headings.
	MaxRows = 50_000
	// maxCell bounds a cell in bytes before it is parsed (C51): the longest email in UTF-8 fits.
	maxCell = 4 * MaxEmail
)

// CSVRow is one row of a CSV file of links.
type CSVRow struct {
	// Number is the line of the file on which it starts, from 1; the headings are usually on line 1.
	Number int
	// Email and ObjectID are as in the file, without white space around them.
	Email, ObjectID string
	// Fault says what is wrong with a row that cannot be used; Email and ObjectID may then be empty.
	Fault *fault.Field
}

// ReadCSV reads a file of links row by row: email and object_id, in any order and among other columns, with headings in
// any case, separated by commas, semicolons or tabs, quoted where needed (RFC 4180), with or without a byte order mark.
// Rows that cannot be used have Fault set; blank rows are skipped. The first error ends the reading: an Invalid fault
// if the file is not such a CSV file or too long, else the error of r.
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
			if err == nil && row.Fault == nil && row.Email == "" && row.ObjectID == "" {
				continue
			}
			if count++; err == nil && count > MaxRows {
				err = fileFault("tooLong", "The file has more than 50,000 rows. Split it into smaller files.")
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

// columns are the indexes of the columns that are read.
type columns struct{ email, objectID int }

func (at columns) row(rows *csv.Reader, cells []string, err error) (CSVRow, error) {
	var parseErr *csv.ParseError
	if errors.As(err, &parseErr) {
		return CSVRow{Number: parseErr.StartLine, Fault: &fault.Field{
				Field: "line", Code: "quotes",
				Message: "The quotes in this line do not match. Put quotes around the whole cell, and double quotes within it.",
			}},
			nil
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
			row.Fault = &fault.Field{Field: c.name, Code: "tooLong", Message: "This is too long for an " + c.name + "."}
		case !utf8.ValidString(text):
			row.Fault = &fault.Field{
				Field: c.name, Code: "encoding",
				Message: "This is not UTF-8. Save the file as \"CSV UTF-8\".",
			}
		default:
			*c.into = strings.Clone(text) // the reader reuses its memory
		}
	}
	if row.Fault == nil && row.Email == "" && row.ObjectID != "" {
		row.Fault = &fault.Field{Field: "email", Code: "required", Message: "This line has no email."}
	}
	if row.Fault == nil && row.ObjectID == "" && row.Email != "" {
		row.Fault = &fault.Field{Field: "object_id", Code: "required", Message: "This line has no object_id."}
	}
	return row, nil
}

// openCSV reads the headings.
func openCSV(r io.Reader) (*csv.Reader, columns, error) {
	in := bufio.NewReaderSize(r, 16<<10)
	start, err := in.Peek(4 << 10)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, columns{}, err
	}
	switch {
	case len(bytes.TrimSpace(start)) == 0:
		return nil, columns{},
			fileFault("empty", "The file is empty. It needs the headings email and object_id, and a row for each person.")
	case bytes.HasPrefix(start, []byte("PK\x03\x04")):
		return nil, columns{},
			fileFault("format", "This is a workbook, not a CSV file. Save it as \"CSV UTF-8\" in your spreadsheet program.")
	case bytes.HasPrefix(start, []byte("\xff\xfe")), bytes.HasPrefix(start, []byte("\xfe\xff")),
		bytes.IndexByte(start, 0) >= 0:
		return nil, columns{}, fileFault("encoding", "This is not UTF-8 text. Save the file as \"CSV UTF-8\".")
	}
	if bom := []byte("\xef\xbb\xbf"); bytes.HasPrefix(start, bom) {
		_, _ = in.Discard(len(bom)) // it is buffered
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

// detectSeparator returns the most frequent separator in the first line.
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
		return at, fileFault("headings", "A heading is repeated in the first line. Remove one of the two columns.")
	}
	return at, nil
}

func fileFault(code, message string) error {
	return fault.InvalidFields([]fault.Field{{Field: "file", Code: code, Message: message}})
}

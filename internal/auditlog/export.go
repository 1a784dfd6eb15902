package auditlog

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"

	"useraccounts/internal/environment"
	"useraccounts/internal/field"
)

const (
	// MaxExported is how many lines an export holds at most, maxExportBytes how large it gets: written as JSON for the
	// gateway a quote, a backslash and a line break take twice the place, and Lambda answers with 6 MB at most.
	MaxExported    = 10_000
	maxExportBytes = 2_500_000
)

// CSVExport is a timeline as a file.
type CSVExport struct {
	// CSV is RFC 4180 in UTF-8 with a byte order mark, which tells Excel so.
	CSV     []byte
	Entries int
	// Complete says that nothing was left out for want of room.
	Complete bool
}

// FieldLabel returns what people call a field of what an event is about.
type FieldLabel func(e Event, name string) string

// headings are the columns. A line has one record for each field that it changed.
var headings = []string{"Time (UTC)", "Event", "By", "Field", "Old value", "New value", "Note", "Import", "Row",
	"API key", "Client", "Address"}

// Export writes the lines of a timeline that the filter wants, newest first; label names the fields of a
// subject for people.
func (l *Reader) Export(ctx context.Context, env environment.Environment, owner Owner, f Filter,
	label FieldLabel) (CSVExport, error) {
	w := l.newMerger(env, owner, f, nil)
	w.unlimited = true
	var (
		out  CSVExport
		file bytes.Buffer
	)
	file.WriteString("\ufeff")
	records := csv.NewWriter(&file)
	records.UseCRLF = true
	if err := records.Write(headings); err != nil {
		return CSVExport{}, err
	}
	for {
		line, ok, err := w.next(ctx)
		if err != nil {
			return CSVExport{}, err
		}
		records.Flush()
		switch {
		case !ok:
			out.CSV, out.Complete = file.Bytes(), true
			return out, records.Error()
		case out.Entries == MaxExported || file.Len() >= maxExportBytes:
			out.CSV = file.Bytes()
			return out, records.Error()
		}
		if err := records.WriteAll(line.csvRecords(label)); err != nil {
			return CSVExport{}, err
		}
		out.Entries++
	}
}

func (l Entry) csvRecords(label FieldLabel) [][]string {
	record := func(name, from, to string) []string {
		row := ""
		if l.Row != 0 {
			row = strconv.Itoa(l.Row)
		}
		out := []string{field.FormatInstant(l.At), l.Kind.Label(), l.By, name, from, to, l.Note, l.Job, row, l.Key, l.Client,
			l.Address}
		for i := range out {
			out[i] = escapeFormula(out[i])
		}
		return out
	}
	if len(l.Changes) == 0 {
		return [][]string{record("", "", "")}
	}
	out := make([][]string, len(l.Changes))
	for i, c := range l.Changes {
		out[i] = record(label(l.Event, c.Field), plainText(c.From), plainText(c.To))
	}
	return out
}

// Label returns what the kind is called.
func (k Kind) Label() string {
	if words, ok := Labels()[k]; ok {
		return words
	}
	return string(k)
}

// escapeFormula puts a quote before what a spreadsheet would run as a formula (C49).
func escapeFormula(cell string) string {
	if strings.ContainsAny(firstRune(cell), "=+-@\t\r\n\x00＝＋－＠") {
		return "'" + cell
	}
	return cell
}

func firstRune(text string) string {
	for i := range text {
		if i > 0 {
			return text[:i]
		}
	}
	return text
}

// plainText returns a value of a field.Diff as a cell shows it.
func plainText(value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case bool:
		if value {
			return "yes"
		}
		return "no"
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64)
	case []string:
		return strings.Join(value, "; ")
	case []any:
		texts := make([]string, len(value))
		for i := range value {
			texts[i] = plainText(value[i])
		}
		return strings.Join(texts, "; ")
	}
	return fmt.Sprint(value)
}

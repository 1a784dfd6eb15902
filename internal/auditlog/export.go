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
	// MaxExported is the maximum number of entries of an export, maxExportBytes its maximum size. Lambda's responses have
	// at most 6 MB, and in their JSON quotes, backslashes and line breaks take two bytes.
	MaxExported    = 10_000
	maxExportBytes = 2_500_000
)

// CSVExport is an account's log as a file.
type CSVExport struct {
	// CSV is RFC 4180 in UTF-8 with a byte order mark, by which Excel recognises it.
	CSV     []byte
	Entries int
	// Complete is false if entries were left out for lack of space.
	Complete bool
}

// FieldLabel returns the label of a field of the event's subject.
type FieldLabel func(e Event, name string) string

// headings are the columns. An entry has one record for each changed field.
var headings = []string{
	"Time (UTC)", "Event", "By", "Field", "Old value", "New value", "Note", "Import", "Row",
	"API key", "Client", "Address",
}

// Export writes the entries that match the filter as CSV, newest first. label returns the labels of fields.
func (r *Reader) Export(ctx context.Context, env environment.Environment, owner Owner, f Filter,
	label FieldLabel,
) (CSVExport, error) {
	m := r.newMerger(env, owner, f, nil)
	m.unlimited = true
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
		entry, ok, err := m.next(ctx)
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
		if err := records.WriteAll(entry.csvRecords(label)); err != nil {
			return CSVExport{}, err
		}
		out.Entries++
	}
}

func (e Entry) csvRecords(label FieldLabel) [][]string {
	record := func(name, from, to string) []string {
		row := ""
		if e.Row != 0 {
			row = strconv.Itoa(e.Row)
		}
		out := []string{
			field.FormatInstant(e.At), e.Kind.Label(), e.By, name, from, to, e.Note, e.Job, row, e.Key, e.Client,
			e.Address,
		}
		for i := range out {
			out[i] = escapeFormula(out[i])
		}
		return out
	}
	if len(e.Changes) == 0 {
		return [][]string{record("", "", "")}
	}
	out := make([][]string, len(e.Changes))
	for i, c := range e.Changes {
		out[i] = record(label(e.Event, c.Field), plainText(c.From), plainText(c.To))
	}
	return out
}

// Label returns the label of the kind.
func (k Kind) Label() string {
	if label, ok := Labels()[k]; ok {
		return label
	}
	return string(k)
}

// escapeFormula puts a quote before a text that a spreadsheet would run as a formula (C49).
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

// plainText returns a value of a field.Diff as text for a cell.
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

package journal

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
	// MostExported is how many lines an export holds at most, mostBytes how large it gets: written as JSON for the
	// gateway a quote, a backslash and a line break take twice the place, and Lambda answers with 6 MB at most.
	MostExported = 10_000
	mostBytes    = 2_500_000
)

// Exported is a timeline as a file.
type Exported struct {
	// CSV is RFC 4180 in UTF-8 with a byte order mark, which tells Excel so.
	CSV   []byte
	Lines int
	// Complete says that nothing was left out for want of room.
	Complete bool
}

// Label returns what people call a field of what an event is about.
type Label func(e Event, name string) string

// headings are the columns. A line has one record for each field that it changed.
var headings = []string{"Time (UTC)", "Event", "By", "Field", "Old value", "New value", "Note", "Import", "Row", "API key", "Client", "Address"}

// Export writes the lines of a timeline that the filter wants, newest first; label names the fields of a
// subject for people.
func (l *Log) Export(ctx context.Context, env environment.Environment, who Whose, f Filter, label Label) (Exported, error) {
	w := l.walk(env, who, f, nil)
	w.unbound = true
	var (
		out  Exported
		file bytes.Buffer
	)
	file.WriteString("\ufeff")
	records := csv.NewWriter(&file)
	records.UseCRLF = true
	if err := records.Write(headings); err != nil {
		return Exported{}, err
	}
	for {
		line, ok, err := w.next(ctx)
		if err != nil {
			return Exported{}, err
		}
		records.Flush()
		switch {
		case !ok:
			out.CSV, out.Complete = file.Bytes(), true
			return out, records.Error()
		case out.Lines == MostExported || file.Len() >= mostBytes:
			out.CSV = file.Bytes()
			return out, records.Error()
		}
		if err := records.WriteAll(line.records(label)); err != nil {
			return Exported{}, err
		}
		out.Lines++
	}
}

func (l Line) records(label Label) [][]string {
	record := func(name, from, to string) []string {
		row := ""
		if l.Row != 0 {
			row = strconv.Itoa(l.Row)
		}
		out := []string{field.Stamp(l.At), l.Kind.Text(), l.By, name, from, to, l.Note, l.Job, row, l.Key, l.Client, l.Address}
		for i := range out {
			out[i] = inert(out[i])
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

// Text returns what the kind is called.
func (k Kind) Text() string {
	if words, ok := Words()[k]; ok {
		return words
	}
	return string(k)
}

// inert puts a quote before what a spreadsheet would run as a formula (C49).
func inert(cell string) string {
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

package sheet

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
)

const benchRows, benchColumns = 5000, 36

// benchExport is a sheet of the largest size that is imported: 30 columns of text, 2 of dates, 4 of booleans.
func benchExport() Export {
	e := Export{Sheet: "User accounts", Format: British}
	cells := make([]Cell, benchColumns)
	for i := range benchColumns {
		kind := Text
		switch {
		case i%18 == 9:
			kind = Date
		case i%9 == 4:
			kind = Bool
		}
		e.Columns = append(e.Columns, Column{Heading: fmt.Sprintf("Column %d", i), Kind: kind})
	}
	e.Rows = func(yield func([]Cell, error) bool) {
		for r := range benchRows {
			for i, c := range e.Columns {
				switch c.Kind {
				case Date:
					cells[i] = DateCell(time.Date(2026, 1, 1+r%365, 0, 0, 0, 0, time.UTC))
				case Bool:
					cells[i] = BoolCell(r%2 == 0)
				default:
					cells[i] = TextCell(fmt.Sprintf("value %d of %d", r, i))
				}
			}
			if !yield(cells, nil) {
				return
			}
		}
	}
	return e
}

// sharedFile is the same sheet with shared strings, as Excel writes it.
func sharedFile(b testing.TB) []byte {
	var file bytes.Buffer
	if err := Write(&file, benchExport()); err != nil {
		b.Fatal(err)
	}
	w := mustOpen(b, file.Bytes())
	var rows, strs bytes.Buffer
	n := 0
	for row, err := range w.rows() {
		if err != nil {
			b.Fatal(err)
		}
		fmt.Fprintf(&rows, `<row r="%d" spans="1:36">`, row.Number)
		for _, c := range row.Cells {
			switch c.Kind {
			case Text:
				fmt.Fprintf(&rows, `<c r="%s" t="s"><v>%d</v></c>`, c.Address(), n)
				fmt.Fprintf(&strs, `<si><t>%s</t></si>`, c.Text)
				n++
			case Date:
				serial, _ := daySerial(c.Date)
				fmt.Fprintf(&rows, `<c r="%s" s="1"><v>%d</v></c>`, c.Address(), serial)
			case Bool:
				fmt.Fprintf(&rows, `<c r="%s" t="b"><v>1</v></c>`, c.Address())
			default:
				b.Fatalf("the sheet has a cell of kind %v", c.Kind)
			}
		}
		rows.WriteString(`</row>`)
	}
	return book(nil).rows(rows.String()).shared(strs.String()).formats("", "14").bytes(b)
}

// BenchmarkRead reads 5,000 rows of 36 cells: Count and then Data, as an import does, and Data alone.
func BenchmarkRead(b *testing.B) {
	var inline bytes.Buffer
	if err := Write(&inline, benchExport()); err != nil {
		b.Fatal(err)
	}
	for _, file := range []struct {
		name  string
		bytes []byte
	}{{"shared", sharedFile(b)}, {"inline", inline.Bytes()}} {
		b.Run(file.name+"/once", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				n := 0
				for row, err := range mustOpen(b, file.bytes).Data(benchRows) {
					if err != nil || len(row.Cells) != benchColumns {
						b.Fatal(err)
					}
					n++
				}
				if n != benchRows {
					b.Fatal(n)
				}
			}
		})
		b.Run(file.name+"/count and read", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				w := mustOpen(b, file.bytes)
				if _, err := w.Count(benchRows); err != nil {
					b.Fatal(err)
				}
				for _, err := range w.Data(benchRows) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
		b.Run(file.name+"/excelize", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				x, err := excelize.OpenReader(bytes.NewReader(file.bytes))
				if err != nil {
					b.Fatal(err)
				}
				rows, err := x.Rows(x.GetSheetName(0))
				if err != nil {
					b.Fatal(err)
				}
				n := 0
				for rows.Next() {
					cells, err := rows.Columns(excelize.Options{RawCellValue: true})
					if err != nil || len(cells) != benchColumns {
						b.Fatal(err, len(cells))
					}
					n++
				}
				if err := rows.Close(); err != nil || n != benchRows+1 {
					b.Fatal(n)
				}
				_ = x.Close()
			}
		})
	}
}

// BenchmarkWrite writes 5,000 rows of 36 cells.
func BenchmarkWrite(b *testing.B) {
	b.Run("sheet", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := Write(io.Discard, benchExport()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("excelize", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			x := excelize.NewFile()
			w, err := x.NewStreamWriter("Sheet1")
			if err != nil {
				b.Fatal(err)
			}
			values := make([]any, benchColumns)
			n := 0
			for cells, err := range benchExport().Rows {
				if err != nil {
					b.Fatal(err)
				}
				for i, c := range cells {
					switch c.Kind {
					case Date:
						values[i] = c.Date
					case Bool:
						values[i] = c.True
					default:
						values[i] = c.Text
					}
				}
				n++
				if err := w.SetRow(Address(n, 1), values); err != nil {
					b.Fatal(err)
				}
			}
			if err := w.Flush(); err != nil {
				b.Fatal(err)
			}
			if err := x.Write(io.Discard); err != nil {
				b.Fatal(err)
			}
			_ = x.Close()
		}
	})
}

// TestMemory: reading and writing the largest sheet keep no more than a part of it (V90).
func TestMemory(t *testing.T) {
	file := sharedFile(t)
	for name, test := range map[string]struct {
		most uint64
		f    func() error
	}{
		"write": {16 << 20, func() error { return Write(io.Discard, benchExport()) }},
		"count": {64 << 20, func() error { _, err := mustOpen(t, file).Count(benchRows); return err }},
	} {
		var err error
		peak, took := measure(func() { err = test.f() })
		if t.Logf("%s: %d KB, %v", name, peak>>10, took.Round(time.Millisecond)); err != nil || peak > test.most {
			t.Errorf("%s: %d MB, %v", name, peak>>20, err)
		}
	}
}

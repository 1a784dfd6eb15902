package sheet

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"syscall"
	"testing"
	"time"

	"useraccounts/internal/fault"
)

// hostileFiles are files made to cost much: each must be refused with the code, or be cheap to read.
func hostileFiles(t testing.TB) map[string]struct {
	file []byte
	code string
} {
	sheetHead, sheetTail := `<worksheet xmlns="`+mainURI+`"><sheetData>`, `</sheetData></worksheet>`
	header := `<row><c><v>1</v></c></row>`
	fill := func(name, head, unit, tail string, size int) []byte {
		return packedUnits(t, nil, name, head, unit, tail, size)
	}
	sheet := func(unit string, size int) []byte {
		return fill(sheetPart, sheetHead+header, unit, sheetTail, size)
	}
	strs := func(unit string, size int) []byte {
		use := strings.Replace(header, "<v>1", "<v>9999999", 1)
		b := book(nil).rows(strings.Replace(use, "<c>", `<c t="s">`, 1))
		return packedUnits(t, b, "xl/sharedStrings.xml", `<sst xmlns="`+mainURI+`">`, unit, `</sst>`, size)
	}
	parts := func(n int) []byte {
		b := book{}
		for i := range n {
			b[fmt.Sprintf("xl/worksheets/s%d.xml", i)] = "<x/>"
		}
		return b.bytes(t)
	}
	const most = 60 << 20 // just under the bound on the sum
	return map[string]struct {
		file []byte
		code string
	}{
		"deflate bomb in the sheet, 256 MB": {sheet(" ", 1<<28), CodeUnpacksTooLarge},
		"deflate bomb in a picture, 256 MB": {fill("xl/media/image1.png", "", "\x00", "", 1<<28), CodeUnpacksTooLarge},
		"white space up to the bound":       {sheet(" ", most), CodeUnpacksTooLarge}, // by the ratio
		"more blank rows than a sheet has":  {sheet(`<row/>`, most), CodeCorrupt},
		"a million blank rows": {
			packedRows(t, header, `<row r="%d" spans="1:36" s="1" customFormat="1"/>`, 1<<20), ""},
		"a million rows": {
			packedRows(t, header, `<row r="%d"><c r="A%[1]d"><v>%[1]d</v></c></row>`, 1<<20), CodeTooManyRows},
		"a million rows of blank cells": {
			packedRows(t, header, `<row r="%d"><c s="%[1]d"/><c/><c s="%[1]d"/></row>`, 1<<20), ""},
		"a million strings": {packedStrings(t, 1<<20), ""},
		"one row of blank cells up to the bound": {
			fill(sheetPart, sheetHead+header+"<row>", `<c/>`, "</row>"+sheetTail, 8<<20), CodeCorrupt},
		"elements of no meaning": {
			fill(sheetPart, sheetHead+header+`</sheetData><x>`, `<a b="c"/>`, "</x></worksheet>", most), CodeUnpacksTooLarge},
		"elements before the rows": {
			fill(sheetPart, strings.Replace(sheetHead, "<sheetData>", "<x>", 1), `<a b="c"/>`, "</x></worksheet>", 8<<20),
			CodeUnpacksTooLarge},
		"nested elements": {fill(sheetPart, sheetHead, `<a>`, "", 1<<20), CodeUnsafe},
		"one endless tag": {fill(sheetPart, sheetHead+"<row ", `a="b" `, "/>"+sheetTail, 6<<20),
			CodeCorrupt},
		"one endless attribute": {fill(sheetPart, sheetHead+`<row a="`, `aaaaaaaa`, `"/>`+sheetTail, 6<<20),
			CodeCorrupt},
		"one endless comment": {
			fill(sheetPart, sheetHead+header+`<!--`, `- aaaaaaa`, `-->`+sheetTail, 6<<20), ""},
		"one endless CDATA": {
			fill(sheetPart, sheetHead+`<row><c t="str"><v><![CDATA[`, `aaaaaaaa`, `]]></v></c></row>`+sheetTail, 6<<20),
			CodeCorrupt},
		"one endless text": {
			fill(sheetPart, sheetHead+`<row><c t="str"><v>`, `aaaaaaaa`, `</v></c></row>`+sheetTail, 6<<20), CodeCellTooLong},
		"many namespaces": {
			fill(sheetPart, sheetHead+"<row>"+strings.Repeat(`<c xmlns="`+mainURI+`" xmlns:a="`+mainURI+`">`, 60),
				`<c xmlns="x"/>`, "", 4<<20), CodeCorrupt},
		"shared strings up to the bound": {strs(`<si><t>aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa</t></si>`, most),
			CodeUnpacksTooLarge},
		"many empty shared strings": {strs(`<si/>`, 7<<20), CodeTooManyParts},
		"runs of a shared string":   {strs(`<si><r><t>a</t></r><r><t></t></r></si>`, 6<<20), CodeCorrupt},
		"thousands of parts":        {parts(5000), CodeTooManyParts},
		"thousands of sheets of one part": {book(nil).set("xl/workbook.xml",
			workbookXML(strings.Repeat(`<sheet name="A" sheetId="1" r:id="rId1"/>`, 5000))).bytes(t), CodeTooManyParts},
		"thousands of relationships": {
			book(nil).set("xl/_rels/workbook.xml.rels", relationships(manyRelations(5000))).bytes(t), CodeTooManyParts},
		"thousands of styles": {fill("xl/styles.xml", `<styleSheet xmlns="`+mainURI+`"><cellXfs>`, `<xf/>`,
			"</cellXfs></styleSheet>", 1<<20), CodeTooManyParts},
	}
}

func manyRelations(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(relationship(i+1, "worksheet", "worksheets/sheet1.xml"))
	}
	return b.String()
}

// packedRows returns a workbook with n rows made of a format with the row's number.
func packedRows(t testing.TB, header, format string, n int) []byte {
	return packed(t, nil, sheetPart, func(write func(string)) {
		write(`<worksheet xmlns="` + mainURI + `"><sheetData>` + header)
		for i := 2; i <= n; i++ {
			write(fmt.Sprintf(format, i))
		}
		write(`</sheetData></worksheet>`)
	})
}

// packedStrings returns a workbook that needs the last of n strings of 40 characters.
func packedStrings(t testing.TB, n int) []byte {
	b := book(nil).rows(fmt.Sprintf(`<row><c t="s"><v>%d</v></c></row>`, n-1))
	return packed(t, b, "xl/sharedStrings.xml", func(write func(string)) {
		write(`<sst xmlns="` + mainURI + `">`)
		for i := range n {
			write(fmt.Sprintf("<si><t>%040d</t></si>", i*7919))
		}
		write(`</sst>`)
	})
}

// TestHostile: each hostile file ends in 5 s, within 256 MB (C47, C48, V69, V90). The memory asserted is half
// of that, as all of them take less.
func TestHostile(t *testing.T) {
	if testing.Short() {
		t.Skip("makes files of hundreds of megabytes")
	}
	for name, test := range hostileFiles(t) {
		t.Run(name, func(t *testing.T) {
			var err error
			peak, took := measure(func() {
				var w *Workbook
				if w, err = open(test.file); err != nil {
					return
				}
				if _, err = w.Header(); err != nil {
					return
				}
				_, err = w.Count(5000)
			})
			t.Logf("%d KB file: %d MB, %v", len(test.file)>>10, peak>>20, took.Round(time.Millisecond))
			if test.code != "" {
				wantCode(t, err, test.code)
			} else if err != nil {
				t.Fatal(err)
			}
			if peak > 128<<20 {
				t.Errorf("took %d MB", peak>>20)
			}
			if took > 5*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// measure runs f, and returns by how much the heap grew at its highest, and how much time of the processor f took: what
// else runs on the machine does not count. The collector runs as it does in the product.
func measure(f func()) (peak uint64, took time.Duration) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	runtime.GC()
	before := heapAlloc()
	done := make(chan struct{})
	highest := make(chan uint64)
	go func() {
		var top uint64
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				highest <- max(top, heapAlloc())
				return
			case <-tick.C:
				top = max(top, heapAlloc())
			}
		}
	}()
	start := processorTime()
	f()
	took = processorTime() - start
	close(done)
	if top := <-highest; top > before {
		peak = top - before
	}
	return peak, took
}

// heapAlloc returns the size of the objects on the heap, without stopping the program as runtime.ReadMemStats does.
func heapAlloc() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// TestMillionRows: a file of a million rows costs no more than one of 5,001: it is read no further (V70).
func TestMillionRows(t *testing.T) {
	count := func(rows int) (read int64) {
		var cells, strs strings.Builder
		for i := range rows {
			fmt.Fprintf(&cells, `<row r="%d"><c r="A%[1]d" t="s"><v>%d</v></c></row>`, i+1, i)
			fmt.Fprintf(&strs, `<si><t>string %d</t></si>`, i)
		}
		file := book(nil).rows(cells.String()).shared(strs.String()).bytes(t)
		w := mustOpen(t, file)
		p := &pass{w: w}
		n := 0
		if err := p.run(func(Row) bool { n++; return n < 5002 }); !errors.Is(err, errStopped) {
			t.Fatal(err)
		}
		_, err := w.Count(5000)
		wantCode(t, err, CodeTooManyRows)
		return p.unpacked + w.archive.unpacked
	}
	few, many := count(5002), count(300_000)
	if many > few+128<<10 {
		t.Errorf("%d bytes were unpacked of 300,000 rows, %d of 5,002", many, few)
	}
}

// TestRealCount: what unpacks to more than it may is stopped where the bytes come out, too, whatever was said before.
func TestRealCount(t *testing.T) {
	file := book(nil).rows(strings.Repeat(`<row><c><v>1</v></c></row>`, 4000)).bytes(t)
	w := mustOpen(t, file)
	w.archive.limits.UnpackedBytes = 50_000
	_, err := w.Count(5000)
	wantCode(t, err, CodeUnpacksTooLarge)
	w.archive.limits.UnpackedBytes = w.archive.unpacked + 1000
	_, err = w.archive.relations("")
	if err != nil {
		t.Error(err)
	}
	w.archive.unpacked = w.archive.limits.UnpackedBytes
	_, err = w.archive.relations("")
	wantCode(t, err, CodeUnpacksTooLarge)
}

// TestRatio: a part that grows too much while it is unpacked is stopped early, small ones may pack as they like.
func TestRatio(t *testing.T) {
	for size, code := range map[int]string{7 << 20: "", 9 << 20: CodeUnpacksTooLarge} {
		file := packed(t, nil, sheetPart, func(write func(string)) {
			write(`<worksheet xmlns="` + mainURI + `"><sheetData><row><c><v>1</v></c></row>`)
			write(strings.Repeat(" ", size))
			write(`</sheetData></worksheet>`)
		})
		_, err := mustOpen(t, file).Count(1)
		if code == "" && err != nil {
			t.Error(err)
		} else if code != "" {
			wantCode(t, err, code)
		}
	}
}

// FuzzOpen: no file makes the reader panic, hang, or fail with anything but a fault (C48).
func FuzzOpen(f *testing.F) {
	for _, file := range [][]byte{
		book(nil).bytes(f),
		book(nil).shared(`<si><t>a_x000D_</t></si>`).formats("14",
			"0000").rows(`<row r="2"><c r="B2" t="s" s="1"><v>0</v></c><c><f>A1</f></c></row>`).bytes(f),
		[]byte("a,b\n"),
		[]byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"),
	} {
		f.Add(file)
	}
	small, _ := filepath.Glob("testdata/*.xlsx")
	for _, name := range small {
		if file, err := os.ReadFile(name); err == nil && len(file) < 16<<10 {
			f.Add(file)
		}
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		w, err := Open(bytes.NewReader(file), int64(len(file)), DefaultLimits())
		if err == nil {
			_, err = w.Count(100)
		}
		if err != nil && fault.As(err) == nil {
			t.Errorf("not a fault: %v", err)
		}
	})
}

// FuzzSheet is FuzzOpen behind the zip: the content of sheetData, of the strings and of the styles.
func FuzzSheet(f *testing.F) {
	f.Add(`<row r="1"><c r="A1" t="s"><v>0</v></c></row><row><c><v>46387</v></c></row>`, `<si><t>a</t></si>`,
		`yyyy"x"\-[h]`)
	f.Add(`<row><c t="inlineStr"><is><r><t>&#65;_x0041_</t></r></is></c></row>`, ``, `0000;[Red]"`)
	f.Fuzz(func(t *testing.T, rows, strs, format string) {
		got, err := readAll(book(nil).rows(rows).shared(strs).formats(format).bytes(t))
		if err != nil && fault.As(err) == nil {
			t.Errorf("not a fault: %v", err)
		}
		last := 0
		for _, r := range got {
			if r.Number <= last || len(r.Cells) > DefaultLimits().Columns {
				t.Errorf("row %d after %d with %d cells", r.Number, last, len(r.Cells))
			}
			last = r.Number
		}
	})
}

// processorTime returns how much time of the processor this process has taken so far.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

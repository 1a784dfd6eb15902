package sheet

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// scanAll returns the tokens of a document, pieces of text joined, comments and instructions left out.
func scanAll(r io.Reader) (string, error) {
	s, err := newScanner(r, 64)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	text := ""
	for {
		tok, err := s.next()
		if err != nil {
			return out.String(), err
		}
		if tok == tokenText {
			text += string(s.text)
			continue
		}
		if text != "" {
			fmt.Fprintf(&out, "%q ", text)
			text = ""
		}
		switch tok {
		case tokenStart:
			fmt.Fprintf(&out, "<%d:%s", s.ns, s.name)
			for _, a := range s.attrs {
				if string(a.prefix) == "xmlns" || len(a.prefix) == 0 && string(a.local) == "xmlns" {
					continue
				}
				ns := nsOther
				if len(a.prefix) > 0 {
					ns = s.spaces.of(a.prefix)
				}
				fmt.Fprintf(&out, " %d:%s=%q", ns, a.local, a.value)
			}
			out.WriteString("> ")
		case tokenEnd:
			out.WriteString("</> ")
		case tokenEOF:
			return out.String(), nil
		case tokenText: // gathered above
		}
	}
}

// referenceScan is scanAll by encoding/xml.
func referenceScan(r io.Reader) (string, error) {
	d := xml.NewDecoder(r)
	d.CharsetReader = func(label string, in io.Reader) (io.Reader, error) {
		if strings.EqualFold(label, "us-ascii") {
			return in, nil
		}
		return nil, errors.New(label)
	}
	var out strings.Builder
	text, depth := "", 0
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out.String(), nil
		}
		if err != nil {
			return out.String(), err
		}
		if data, ok := tok.(xml.CharData); ok {
			if depth > 0 {
				text += string(data)
			}
			continue
		}
		start, isStart := tok.(xml.StartElement)
		_, isEnd := tok.(xml.EndElement)
		if !isStart && !isEnd {
			continue
		}
		if text != "" {
			fmt.Fprintf(&out, "%q ", text)
			text = ""
		}
		if isEnd {
			depth--
			out.WriteString("</> ")
			continue
		}
		depth++
		fmt.Fprintf(&out, "<%d:%s", namespaceOf([]byte(start.Name.Space)), start.Name.Local)
		for _, a := range start.Attr {
			if a.Name.Space != "xmlns" && (a.Name.Space != "" || a.Name.Local != "xmlns") {
				fmt.Fprintf(&out, " %d:%s=%q", namespaceOf([]byte(a.Name.Space)), a.Name.Local, a.Value)
			}
		}
		out.WriteString("> ")
	}
}

// goodXML are documents that are to be read, with what is in them.
func goodXML() []string {
	long := strings.Repeat("0123456789 abcdef ", 8000)
	return []string{
		`<a/>`, "\n<a/>\n", `<a></a >`, `<a b="c" d='e"f'/>`, "<a\n\tb = \"c\"\n/>", xmlHead + `<a>x</a><!-- end --><?pi?>`,
		`<x:a xmlns:x="` + mainURI + `" x:b="1" b="2"><x:c/><c/></x:a>`,
		`<a xmlns="` + mainURI + `"><b xmlns=""><c/></b><b xmlns="` + strictURI + `"/><d/></a>`,
		`<a xmlns="` + mainURI + `" xmlns:r="` + officeRels + `" r:id="1"><r:b xmlns:r="x" r:id="2"/><r:b r:id="3"/></a>`,
		`<a>&lt;&gt;&amp;&apos;&quot;&#65;&#x1F600;</a>`, `<a b="&lt;&#10;&quot;"/>`,
		"<a>line\r\nline\rline\n&#13;</a>", "<a b=\"x\r\ny\"/>", `<a>]] ]]&gt; ]</a>`, `<a><![CDATA[<b>&amp;]] ]]></a>`,
		"<a><![CDATA[\r\n]]>x</a>",
		`<a>x<!-- - -->y<b/>z</a>`, `<a>` + long + `</a>`, `<a>` + strings.Repeat("é€\U0001F600", 9000) + `</a>`,
		`<a>` + strings.Repeat("&amp;", 20000) + `</a>`,
		`<a>` + strings.Repeat("\r\n", 30000) + `</a>`, `<a>` + strings.Repeat("]", 70000) + `</a>`, `<a b="` + long + `"/>`,
		`<a><!--` + long + `--></a>`,
		`<a-b.c_1>x</a-b.c_1>`, "\xEF\xBB\xBF<a/>", `<?xml version='1.0' encoding='us-ascii'?><a/>`,
	}
}

// badXML are documents that are to be refused, with the reason.
func badXML() map[string]error {
	return map[string]error{
		``: errMalformed, `x`: errMalformed, `<`: errMalformed, `<a`: errMalformed, `<a>`: errMalformed,
		`<a></b>`: errMalformed, `</a>`: errMalformed,
		`<a/><b/>`: errMalformed, `<a/>x`: errMalformed, `<a b/>`: errMalformed, `<a b=c/>`: errMalformed,
		`<a b="c/>`:       errMalformed,
		`<a b="1"c="2"/>`: errMalformed, `<a b="1" b="2"/>`: errMalformed, `<a b="<"/>`: errMalformed,
		`<a / >`: errMalformed, `< a/>`: errMalformed,
		`<a:b:c/>`: errMalformed, `<:a/>`: errMalformed, `<a:/>`: errMalformed, `<1/>`: errMalformed,
		`<a></a b="c">`: errMalformed,
		`<a>]]></a>`:    errMalformed, `<a>&</a>`: errMalformed, `<a>&amp</a>`: errMalformed, `<a>&#0;</a>`: errMalformed,
		`<a>&#x1;</a>`:    errMalformed,
		`<a>&#xD800;</a>`: errMalformed, `<a>&#x110000;</a>`: errMalformed, `<a>&#;</a>`: errMalformed,
		`<a>&#-1;</a>`: errMalformed, "<a>\x01</a>": errMalformed,
		"<a>\xff</a>": errMalformed, "<a>\uFFFE</a>": errMalformed, "<a b='\x00'/>": errMalformed,
		"<a>\xe2\x82</a>":    errMalformed,
		`<a><!-- -- --></a>`: errMalformed, `<a><!-- `: errMalformed, `<a><![CDATA[`: errMalformed,
		`<a><? ?></a>`: errMalformed, `<a><?x `: errMalformed,
		` <?xml version="1.0"?><a/>`: errMalformed, `<a><?xml version="1.0"?></a>`: errMalformed,
		`<?xml version="1.1"?><a/>`: errMalformed, `<?xml?><a/>`: errMalformed,
		`<?xml version="1.0" encoding="utf-16"?><a/>`:       errEncoding,
		`<?xml version="1.0" encoding="windows-1252"?><a/>`: errEncoding,
		`<!DOCTYPE a><a/>`: errDTD, `<a>&nbsp;</a>`: errDTD, `<a b="&x;"/>`: errDTD, `<a><!ELEMENT x></a>`: errDTD,
		`<a><![INCLUDE[]]></a>`: errDTD, `<![CDATA[x]]><a/>`: errDTD,
		"<a " + repeatNumbered(`b%d="" `, 129) + "/>":                 errMalformed,
		"<a " + repeatNumbered(`xmlns:b%d="`+mainURI+`" `, 65) + "/>": errMalformed,
		strings.Repeat("<a>", 65):                                     errDeep,
		`<a ` + strings.Repeat(`b="c" `, 50000) + `/>`:                errTagLong,
		`<a b="` + strings.Repeat("c", maxWindow):                     errTagLong,
	}
}

// repeatNumbered returns n times s, each with its number.
func repeatNumbered(s string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, s, i)
	}
	return b.String()
}

// TestScan: a document is read as encoding/xml reads it, however its bytes come in.
func TestScan(t *testing.T) {
	for _, doc := range goodXML() {
		want, err := referenceScan(strings.NewReader(doc))
		if err != nil {
			t.Fatalf("%.60q: encoding/xml says %v", doc, err)
		}
		for name, r := range map[string]io.Reader{
			"at once": strings.NewReader(doc), "in halves": iotest.HalfReader(strings.NewReader(doc)),
			"byte by byte": iotest.OneByteReader(strings.NewReader(doc)),
			"with the end": iotest.DataErrReader(strings.NewReader(doc)),
		} {
			if len(doc) > 1000 && name == "byte by byte" {
				continue
			}
			if got, err := scanAll(r); err != nil || got != want {
				t.Errorf("%.60q %s: %v\ngot  %.300s\nwant %.300s", doc, name, err, got, want)
			}
		}
	}
}

// TestScanUTF16: XML may come as UTF-16 of either order (XML 1.0, 4.3.3).
func TestScanUTF16(t *testing.T) {
	doc := `<?xml version="1.0" encoding="UTF-16"?><a>é` + "\U0001F600" + `</a>`
	little := string(utf16Bytes(doc))
	big := make([]byte, len(little))
	for i := range len(little) {
		big[i^1] = little[i]
	}
	for _, s := range []string{little, "\xFF\xFE" + little, string(big), "\xFE\xFF" + string(big)} {
		if got, err := scanAll(strings.NewReader(s)); err != nil || got != "<0:a> \"é\U0001F600\" </> " {
			t.Errorf("%q, %v", got, err)
		}
	}
}

// TestScanRefuses: what is not XML, or more of it than is wanted, is refused for its reason.
func TestScanRefuses(t *testing.T) {
	for doc, want := range badXML() {
		if got, err := scanAll(strings.NewReader(doc)); !errors.Is(err, want) {
			t.Errorf("%.60q: got %v (%.100s), want %v", doc, err, got, want)
		}
	}
	broken := iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("<aaaaaaaa/>")))
	if _, err := scanAll(broken); !errors.Is(err, iotest.ErrTimeout) {
		t.Errorf("an error of the source became %v", err)
	}
}

// FuzzScan: what the scanner takes, encoding/xml takes too, and reads the same. So there is no document that the
// scanner reads otherwise than the rest of the world.
func FuzzScan(f *testing.F) {
	for _, doc := range goodXML() {
		if len(doc) < 1000 {
			f.Add(doc)
		}
	}
	for doc := range badXML() {
		if len(doc) < 1000 {
			f.Add(doc)
		}
	}
	f.Fuzz(func(t *testing.T, doc string) {
		got, err := scanAll(strings.NewReader(doc))
		if err != nil || strings.HasPrefix(doc, "\xFF\xFE") || strings.HasPrefix(doc, "\xFE\xFF") ||
			strings.Contains(doc[:min(4, len(doc))], "\x00") {
			return // encoding/xml reads no UTF-16
		}
		halves, err := scanAll(iotest.OneByteReader(strings.NewReader(doc)))
		if err != nil || halves != got {
			t.Fatalf("byte by byte: %v\ngot  %s\nwant %s", err, halves, got)
		}
		want, err := referenceScan(strings.NewReader(strings.TrimPrefix(doc, "\xEF\xBB\xBF")))
		if err != nil {
			t.Fatalf("encoding/xml refuses: %v", err)
		}
		if got != want {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
	})
}

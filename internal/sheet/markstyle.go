package sheet

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// markColour is the fill of a marked cell. No palette of a spreadsheet program offers this shade, so it tells the marks
// of an earlier call from the colours of people.
const markColour = "FFFFC1C8"

// markStyles are the styles of a workbook. For each style of a marked cell it adds the same style with the fill of
// marks.
type markStyles struct {
	xfs           []xf
	fills         int
	fill          int // the index of the fill of marks
	hasFill       bool
	disabled      bool           // the part is unusual, so cells get no fill
	originalCount int            // the number of styles in the file
	marked        map[int]int    // by style, the style of a marked cell
	unmarked      map[int]int    // by style of a marked cell, the style without the mark
	byKey         map[string]int // by key, the first style that is not a mark
}

// xf is a cell style (18.8.45): its start tag and its content.
type xf struct{ tag, inner string }

// key identifies a style without its fill.
func (x xf) key() string {
	return string(
		withAttr(withAttr([]byte(strings.TrimSuffix(strings.TrimSuffix(x.tag, ">"), "/")+">"), "fillId", ""), "applyFill",
			"")) + x.inner
}

func (x xf) fill() int {
	tag := []byte(x.tag)
	_, at, end := attrSpan(tag, "fillId")
	n, _ := parseDigits(string(tag[at:end]), 1, 9)
	return n
}

func (x xf) withFill(fill int) xf {
	return xf{string(withAttr(withAttr([]byte(x.tag), "fillId", strconv.Itoa(fill)), "applyFill", "1")), x.inner}
}

// readMarkStyles reads the fills and styles of a styles part.
func readMarkStyles(src io.Reader, depth int) (*markStyles, error) {
	r := &markStyles{marked: map[int]int{}, unmarked: map[int]int{}, byKey: map[string]int{}}
	e, err := newEditor(src, depth, io.Discard)
	if err != nil {
		return nil, err
	}
	if _, err := e.read(); err != nil {
		return nil, err
	}
	for {
		tok, err := e.read()
		if err != nil {
			return nil, err
		}
		switch {
		case tok == tokenEOF:
			return r.index(), nil
		case tok != tokenStart || e.ns != nsMain || e.depth() != 2:
		case string(e.name) == "fills":
			err = r.readFills(e)
		case string(e.name) == "cellXfs":
			err = r.readXfs(e)
		}
		if err != nil {
			return nil, err
		}
	}
}

// readFills counts the fills, and finds the fill of marks.
func (r *markStyles) readFills(e *editor) error {
	for e.depth() >= 2 {
		tok, err := e.read()
		if err != nil {
			return err
		}
		if tok != tokenStart {
			continue
		}
		if e.depth() == 3 {
			r.fills++
		}
		if rgb, _ := e.attr("rgb"); string(e.name) == "fgColor" && string(rgb) == markColour {
			r.fill, r.hasFill = r.fills-1, true
		}
	}
	return nil
}

func (r *markStyles) readXfs(e *editor) error {
	for e.depth() >= 2 {
		tok, err := e.read()
		if err != nil {
			return err
		}
		if tok != tokenStart {
			continue
		}
		if len(r.xfs) >= maxFormats {
			return tooManyParts("cell styles", maxFormats)
		}
		one := xf{tag: string(e.raw[bytes.LastIndexByte(e.raw, '<'):])}
		var inner bytes.Buffer
		for e.depth() >= 3 {
			if _, err := e.read(); err != nil {
				return err
			}
			if e.depth() >= 3 {
				inner.Write(e.raw)
			}
		}
		one.inner = inner.String()
		r.xfs = append(r.xfs, one)
	}
	return nil
}

// index finds the styles that are marks, and the style of each without the mark.
func (r *markStyles) index() *markStyles {
	r.originalCount = len(r.xfs)
	if r.disabled = r.originalCount == 0 || r.fills == 0; r.disabled {
		return r
	}
	if !r.hasFill {
		r.fill = r.fills
		for i := range r.xfs {
			r.addKey(i)
		}
		return r
	}
	for i, x := range r.xfs {
		if x.fill() != r.fill {
			r.addKey(i)
		}
	}
	for i, x := range r.xfs {
		if x.fill() != r.fill {
			continue
		}
		base, ok := r.byKey[x.key()]
		if !ok {
			r.xfs = append(r.xfs, x.withFill(0))
			base = len(r.xfs) - 1
			r.byKey[x.key()] = base
		}
		r.unmarked[i] = base
		if _, ok := r.marked[base]; !ok {
			r.marked[base] = i
		}
	}
	return r
}

func (r *markStyles) addKey(i int) {
	key := r.xfs[i].key()
	if _, ok := r.byKey[key]; !ok {
		r.byKey[key] = i
	}
}

// styleFor returns the style of a cell, with or without the mark.
func (r *markStyles) styleFor(style int, bad bool) int {
	if r.disabled || style < 0 || style >= len(r.xfs) {
		return style
	}
	if base, ok := r.unmarked[style]; ok {
		style = base
	}
	if !bad {
		return style
	}
	if _, ok := r.marked[style]; !ok {
		r.xfs = append(r.xfs, r.xfs[style].withFill(r.fill))
		r.marked[style] = len(r.xfs) - 1
	}
	return r.marked[style]
}

// write copies the styles part with the added styles.
func (r *markStyles) write(src io.Reader, depth int, out io.Writer) error {
	e, err := newEditor(src, depth, out)
	if err != nil {
		return err
	}
	var added strings.Builder
	for _, x := range r.xfs[r.originalCount:] {
		tag := strings.TrimSuffix(strings.TrimSuffix(x.tag, ">"), "/")
		name := tag[1 : 1+nameLength([]byte(tag[1:]))]
		fmt.Fprintf(&added, "%s>%s</%s>", tag, x.inner, name)
	}
	for {
		tok, err := e.read()
		switch {
		case err != nil:
			return err
		case tok == tokenEOF:
			e.write(e.raw)
			return e.err
		case tok != tokenStart || e.ns != nsMain || e.depth() != 2:
			e.write(e.raw)
		case string(e.name) == "fills" && !r.hasFill && !r.disabled:
			p := e.prefix()
			err = e.appendChildren(1,
				fmt.Sprintf(`<%sfill><%spatternFill patternType="solid"><%sfgColor rgb="%s"/><%sbgColor indexed="64"/>`+
					`</%spatternFill></%sfill>`, p, p, p, markColour, p, p, p))
		case string(e.name) == "cellXfs":
			err = e.appendChildren(len(r.xfs)-r.originalCount, added.String())
		default:
			e.write(e.raw)
		}
		if err != nil {
			return err
		}
	}
}

// defaultStyles is the styles part for a workbook without one.
func defaultStyles() string {
	return xmlHead + `<styleSheet` + mainSpace + `>` +
		`<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>` +
		`<fills count="2"><fill><patternFill patternType="none"/></fill>` +
		`<fill><patternFill patternType="gray125"/></fill></fills>` +
		`<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>` +
		`<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>` +
		`<cellXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/></cellXfs></styleSheet>`
}

package sheet

import (
	"bytes"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
)

// notes are the notes of a sheet: the comments part (18.7.6), and the drawing with their boxes, which is still VML
// (part 4, 19). The notes of people stay.
type notes struct {
	archive   *archive
	relations map[string]relation
	wanted    []cellNote // in the order of the sheet
	comments  string     // the comments part, "" for none
	drawing   string     // the relationship of the drawing that the sheet has, "" for none
	sheet     string     // the worksheet's part

	userNotes  map[string]bool // cells with a note of a person
	staleNotes map[string]bool // cells with a note of an earlier call of Mark
	authorID   int
}

type cellNote struct {
	row, column int
	text        string
}

// newNotes returns the notes to be written; nil if the sheet cannot have any, or needs no change.
func newNotes(a *archive, sheetPart string, relations map[string]relation, rows []RowMark) (*notes, error) {
	n := &notes{archive: a, relations: relations, sheet: sheetPart, userNotes: map[string]bool{},
		staleNotes: map[string]bool{}}
	for _, r := range rows {
		for _, c := range r.Cells {
			if len(n.wanted) < maxNotes {
				n.wanted = append(n.wanted, cellNote{r.Number, c.Column, notePrefix + truncateText(c.Note, maxNoteChars)})
			}
		}
	}
	for _, r := range relations {
		if r.kind == "comments" {
			n.comments = r.target
		}
	}
	if n.comments == "" && len(n.wanted) == 0 || len(a.parts)+3 > a.limits.Parts {
		return nil, nil
	}
	strict, err := a.isStrict(sheetPart)
	if strict || err != nil {
		return nil, err // the strict form has no VML
	}
	return n, nil
}

// isStrict reports whether a part is in the strict form of the format.
func (a *archive) isStrict(part string) (strict bool, err error) {
	err = a.readPart(part, func(r io.Reader) error {
		head := make([]byte, sniffSize)
		n, _ := io.ReadFull(r, head)
		strict = bytes.Contains(head[:n], []byte("purl.oclc.org/ooxml"))
		return nil
	})
	return strict, err
}

// addParts writes both parts, and returns the content types and relationships to be added. A drawing that is not
// well-formed, as old programs wrote them, is left as it is, with its notes.
func (n *notes) addParts(m *marking) (types, relations string, err error) {
	vml := ""
	if r, ok := n.relations[n.drawing]; ok && r.kind == "vmlDrawing" {
		vml = r.target
	}
	newComments, newDrawing := n.comments == "", vml == ""
	var comments, drawing bytes.Buffer
	if newComments {
		n.comments = n.freePartName("comments%d.xml")
		err = n.writeComments(
			strings.NewReader(xmlHead+`<comments`+mainSpace+`><authors></authors><commentList></commentList></comments>`),
			n.archive.limits.Depth, &comments)
	} else {
		err = n.archive.readPart(n.comments,
			func(r io.Reader) error { return n.writeComments(r, n.archive.limits.Depth, &comments) })
	}
	if err != nil {
		return "", "", err
	}
	if newDrawing {
		vml = n.freePartName("drawings/vmlDrawing%d.vml")
		err = n.writeDrawing(strings.NewReader(emptyDrawing), n.archive.limits.Depth, &drawing)
	} else if n.archive.readPart(vml,
		func(r io.Reader) error { return n.writeDrawing(r, n.archive.limits.Depth, &drawing) }) != nil {
		return "", "", nil //nolint:nilerr // a drawing that cannot be read costs the notes, not the whole sheet
	}
	if err != nil {
		return "", "", err
	}
	for name, body := range map[string]*bytes.Buffer{n.comments: &comments, vml: &drawing} {
		if err := m.addPart(name, func(out io.Writer) error { _, err := body.WriteTo(out); return err }); err != nil {
			return "", "", err
		}
	}
	if newComments {
		types += `<%sOverride PartName="/` + n.comments + `" ContentType="` + officeType + `comments+xml"/>`
		relations += `<%sRelationship Id="` + newCommentsID + `" Type="` + officeRels + `/comments" Target="` +
			n.target(n.comments) + `"/>`
	}
	if newDrawing {
		types += `<%sOverride PartName="/` + vml +
			`" ContentType="application/vnd.openxmlformats-officedocument.vmlDrawing"/>`
		relations += `<%sRelationship Id="` + newDrawingID + `" Type="` + officeRels + `/vmlDrawing" Target="` +
			n.target(vml) + `"/>`
	}
	return types, relations, nil
}

// freePartName returns the name of a new part, named and numbered as Excel does it: some libraries only find notes
// under these names.
func (n *notes) freePartName(numbered string) string {
	for i := 1; ; i++ {
		if part := path.Join(path.Dir(path.Dir(n.sheet)), fmt.Sprintf(numbered, i)); !n.archive.has(part) {
			return part
		}
	}
}

// target returns the path of a part in the worksheet's relationships, written as Excel does it for the same reason.
func (n *notes) target(part string) string {
	folder := path.Dir(n.sheet)
	if folder == "." {
		return "/" + part
	}
	return "../" + strings.TrimPrefix(part, path.Dir(folder)+"/")
}

// writeComments copies the comments part with the notes of people and the new ones.
func (n *notes) writeComments(src io.Reader, depth int, out io.Writer) error {
	e, err := newEditor(src, depth, out)
	if err != nil {
		return err
	}
	for {
		tok, err := e.read()
		switch {
		case err != nil:
			return err
		case tok == tokenEOF:
			e.write(e.raw)
			return e.err
		case tok == tokenStart && e.depth() == 2 && string(e.name) == "authors":
			err = n.copyAuthors(e)
		case tok == tokenStart && e.depth() == 2 && string(e.name) == "commentList":
			err = n.copyComments(e)
		default:
			e.write(e.raw)
		}
		if err != nil {
			return err
		}
	}
}

// copyAuthors copies the authors, and appends this product.
func (n *notes) copyAuthors(e *editor) error {
	p := e.prefix()
	before := n.authorID
	var copied bytes.Buffer
	copied.Write(e.raw)
	closed := isSelfClosing(e.raw)
	for e.depth() >= 2 {
		tok, err := e.read()
		if err != nil {
			return err
		}
		if tok == tokenStart && e.depth() == 3 {
			before++
		}
		if e.depth() >= 2 {
			copied.Write(e.raw)
		}
	}
	n.authorID = before
	body := copied.Bytes()
	if closed {
		body = append(bytes.TrimSuffix(body, []byte("/>")), '>')
	}
	e.write(body)
	e.writeString("<" + p + "author>" + strings.TrimSuffix(notePrefix, ": ") + "</" + p + "author></" + p + "authors>")
	return e.err
}

// copyComments copies the notes of people, and appends the new ones.
func (n *notes) copyComments(e *editor) error {
	p := e.prefix()
	open := bytes.Clone(e.raw)
	if isSelfClosing(open) {
		open = append(bytes.TrimSuffix(open, []byte("/>")), '>')
	}
	e.write(open)
	for e.depth() >= 2 {
		tok, err := e.read()
		if err != nil {
			return err
		}
		if tok != tokenStart || string(e.name) != "comment" {
			continue
		}
		ref, _ := e.attr("ref")
		at := string(ref)
		var raw, text bytes.Buffer
		raw.Write(e.raw)
		for e.depth() >= 3 {
			tok, err := e.read()
			if err != nil {
				return err
			}
			raw.Write(e.raw)
			if tok == tokenText {
				text.Write(e.text)
			}
		}
		if strings.HasPrefix(strings.TrimLeft(text.String(), " \t\r\n"), notePrefix) {
			n.staleNotes[at] = true
			continue
		}
		n.userNotes[at] = true
		e.write(raw.Bytes())
	}
	for _, c := range n.wanted {
		if at := Address(c.row, c.column); !n.userNotes[at] {
			b := fmt.Appendf(nil, `<%scomment ref="%s" authorId="%d"><%stext><%st xml:space="preserve">`, p, at, n.authorID, p,
				p)
			b = appendText(b, c.text)
			e.write(fmt.Appendf(b, `</%st></%stext></%scomment>`, p, p, p))
		}
	}
	e.writeString("</" + p + "commentList>")
	return e.err
}

// writeDrawing copies the drawing without the boxes of stale notes, and appends those of the new ones.
func (n *notes) writeDrawing(src io.Reader, depth int, out io.Writer) error {
	e, err := newEditor(src, depth, out)
	if err != nil {
		return err
	}
	hasType, shapes := false, 1025
	for {
		tok, err := e.read()
		switch {
		case err != nil:
			return err
		case tok == tokenEOF:
			e.write(e.raw)
			return e.err
		case tok == tokenStart && e.depth() == 2:
			if id, _ := e.attr("id"); string(e.name) == "shapetype" && string(id) == "_x0000_t202" {
				hasType = true
			}
			if string(e.name) == "shape" {
				shapes = 1 << 20 // above all existing ones
			}
			if err := n.copyShape(e); err != nil {
				return err
			}
		case tok == tokenStart:
			e.write(withNamespaces(e.raw))
		case tok == tokenEnd && e.depth() == 0:
			end := e.takeTag()
			if !hasType {
				e.writeString(noteShapeType)
			}
			n.writeShapes(e, shapes)
			e.write(end)
		default:
			e.write(e.raw)
		}
	}
}

// withNamespaces returns the root tag of a drawing with the prefixes v, o and x declared. Some libraries declare the
// same namespaces as ns0, ns1 and so on.
func withNamespaces(root []byte) []byte {
	missing := ""
	for _, space := range [][2]string{{"v", "vml"}, {"o", "office:office"}, {"x", "office:excel"}} {
		if declared := "xmlns:" + space[0] + "="; !bytes.Contains(root, []byte(declared)) {
			missing += " " + declared + `"urn:schemas-microsoft-com:` + space[1] + `"`
		}
	}
	end := len(root) - len(">")
	if isSelfClosing(root) {
		end--
	}
	return slices.Concat(root[:end:end], []byte(missing), root[end:])
}

// copyShape copies a shape, unless it is the box of a stale note.
func (n *notes) copyShape(e *editor) error {
	var raw bytes.Buffer
	raw.Write(e.raw)
	row, column, inside := -1, -1, ""
	for e.depth() >= 2 {
		tok, err := e.read()
		if err != nil {
			return err
		}
		raw.Write(e.raw)
		switch tok {
		case tokenStart:
			inside = string(e.name)
		case tokenEnd:
			inside = ""
		case tokenText:
			value, _ := strconv.Atoi(strings.TrimSpace(string(e.text)))
			if inside == "Row" {
				row = value
			}
			if inside == "Column" {
				column = value
			}
		case tokenEOF: // read makes it an error
		}
	}
	if row >= 0 && column >= 0 && n.staleNotes[Address(row+1, column+1)] {
		return nil
	}
	e.write(raw.Bytes())
	return e.err
}

// emptyDrawing is a drawing part without shapes, noteShapeType the type of the shapes of notes.
const (
	emptyDrawing = `<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" ` +
		`xmlns:x="urn:schemas-microsoft-com:office:excel"></xml>`
	noteShapeType = `<v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202" ` +
		`path="m,l,21600r21600,l21600,xe"><v:stroke joinstyle="miter"/>` +
		`<v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>`
)

// noteShape is the box of a note: its id, the column, row, column and row of its corners, and the row and column of its
// cell.
const noteShape = `<v:shape id="_x0000_s%d" type="#_x0000_t202" ` +
	`style="position:absolute;margin-left:59.25pt;margin-top:1.5pt;width:240pt;height:80pt;z-index:1;visibility:hidden" ` +
	`fillcolor="#ffffe1" o:insetmode="auto">` +
	`<v:fill color2="#ffffe1"/><v:shadow on="t" color="black" obscured="t"/><v:path o:connecttype="none"/>` +
	`<v:textbox style="mso-direction-alt:auto"><div style="text-align:left"></div></v:textbox>` +
	`<x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/>` +
	`<x:Anchor>%d, 15, %d, 2, %d, 31, %d, 9</x:Anchor><x:AutoFill>False</x:AutoFill>` +
	`<x:Row>%d</x:Row><x:Column>%d</x:Column></x:ClientData></v:shape>`

// writeShapes writes the boxes of the new notes, which are hidden until a person points at the cell.
func (n *notes) writeShapes(e *editor, id int) {
	for _, c := range n.wanted {
		if n.userNotes[Address(c.row, c.column)] {
			continue
		}
		row, column := c.row-1, c.column-1
		e.writeString(fmt.Sprintf(noteShape, id, column+1, row, column+4, row+5, row, column))
		id++
	}
}

package sheet

import (
	"archive/zip"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

const (
	xmlHead    = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	mainSpace  = ` xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"`
	relSpace   = ` xmlns="http://schemas.openxmlformats.org/package/2006/relationships"`
	officeRels = `http://schemas.openxmlformats.org/officeDocument/2006/relationships`
	officeType = `application/vnd.openxmlformats-officedocument.spreadsheetml.`
)

// The styles of styles(), by their place in cellXfs.
const (
	styleGeneral = iota
	styleText    // number format @: what is typed over it stays text, with its leading zeros
	styleQuoted  // and a text that looks like a formula stays text when it is edited
	styleDate
	styleHeader
)

// part is a part of the package as text.
type part struct{ name, xml string }

// fixedParts returns the parts that do not depend on the rows.
func (e Export) fixedParts(lists []choiceList) []part {
	sheets := `<sheet name="` + xmlText(e.Sheet) + `" sheetId="1" r:id="rId1"/>`
	types := contentType("workbook", "sheet.main") + contentType("worksheets/sheet1", "worksheet") +
		contentType("styles", "styles") + contentType("tables/table1", "table")
	relations := relationship(1, "worksheet", "worksheets/sheet1.xml") + relationship(2, "styles", "styles.xml")
	if len(lists) > 0 {
		sheets += `<sheet name="` + listsName + `" sheetId="2" state="hidden" r:id="rId3"/>`
		types += contentType("worksheets/sheet2", "worksheet")
		relations += relationship(3, "worksheet", "worksheets/sheet2.xml")
	}
	return []part{
		{typesPart, `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
			`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
			`<Default Extension="xml" ContentType="application/xml"/>` + types + `</Types>`},
		{"_rels/.rels", relationships(relationship(1, "officeDocument", "xl/workbook.xml"))},
		{"xl/workbook.xml", `<workbook` + mainSpace + ` xmlns:r="` + officeRels + `"><bookViews><workbookView/></bookViews>` +
			`<sheets>` + sheets + `</sheets>` + definedNames(lists) + `</workbook>`},
		{"xl/_rels/workbook.xml.rels", relationships(relations)},
		{"xl/styles.xml", e.styles()},
		{"xl/worksheets/_rels/sheet1.xml.rels", relationships(relationship(1, "table", "../tables/table1.xml"))},
	}
}

func contentType(name, kind string) string {
	return `<Override PartName="/xl/` + name + `.xml" ContentType="` + officeType + kind + `+xml"/>`
}

func relationship(id int, kind, target string) string {
	return fmt.Sprintf(`<Relationship Id="rId%d" Type="%s/%s" Target="%s"/>`, id, officeRels, kind, target)
}

func relationships(inner string) string {
	return `<Relationships` + relSpace + `>` + inner + `</Relationships>`
}

// styles returns the styles part (18.8.39): the minimum that Excel accepts, and the styles of the const block above.
func (e Export) styles() string {
	const customFormat = 164 // the first number that is not built in
	xf := func(format int, more string) string {
		return fmt.Sprintf(`<xf numFmtId="%d" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"%s/>`, format,
			more)
	}
	return `<styleSheet` + mainSpace + `>` +
		fmt.Sprintf(`<numFmts count="1"><numFmt numFmtId="%d" formatCode="%s"/></numFmts>`, customFormat,
			xmlText(e.Format.spec().numberFormat)) +
		`<fonts count="2"><font><sz val="11"/><name val="Calibri"/><family val="2"/></font>` +
		`<font><b/><sz val="11"/><name val="Calibri"/><family val="2"/></font></fonts>` +
		`<fills count="2"><fill><patternFill patternType="none"/></fill>` +
		`<fill><patternFill patternType="gray125"/></fill></fills>` +
		`<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>` +
		`<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>` +
		`<cellXfs count="5">` + xf(0, "") + xf(49, "") + xf(49, ` quotePrefix="1"`) + xf(customFormat, "") +
		`<xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"/></cellXfs>` +
		`<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>` +
		`<dxfs count="0"/><tableStyles count="0"/></styleSheet>`
}

// sheetHead returns the worksheet part up to its first row.
func (e Export) sheetHead() string {
	var b strings.Builder
	b.WriteString(`<worksheet` + mainSpace + ` xmlns:r="` + officeRels + `">` +
		`<sheetViews><sheetView tabSelected="1" workbookViewId="0">` +
		`<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/><selection pane="bottomLeft"/>` +
		`</sheetView></sheetViews><sheetFormatPr defaultRowHeight="15"/><cols>`)
	for i, c := range e.Columns {
		style := styleGeneral
		switch c.Kind {
		case Text:
			style = styleText
		case Date:
			style = styleDate
		default: // general
		}
		width := c.Width
		if width <= 0 {
			width = max(12, float64(utf8.RuneCountInString(c.Heading))+5) // 5 for the filter's button
		}
		fmt.Fprintf(&b, `<col min="%d" max="%d" width="%g" style="%d" customWidth="1"/>`, i+1, i+1, min(width, 255), style)
	}
	b.WriteString(`</cols><sheetData>`)
	return b.String()
}

// sheetTail returns the worksheet part after its last row: the drop-down lists, also for rows to be added, and the
// table. The lists end after ValidationRows and not at the end of the grid: some programs store a rule for each cell,
// and would need minutes and gigabytes to open the file.
func (e Export) sheetTail(lists []choiceList, rows int) string {
	var b strings.Builder
	rules, end := 0, min(max(rows, 1+e.ValidationRows, 2), maxSheetRows)
	for i, c := range e.Columns {
		formula := ""
		switch {
		case c.Hint != "":
			rules++
			name := ColumnName(i + 1)
			fmt.Fprintf(&b,
				`<dataValidation allowBlank="1" showInputMessage="1" promptTitle="%s" prompt="%s" sqref="%s2:%s%d"/>`,
				xmlText(truncateText(c.Heading, 32)), xmlText(shortHint(c.Hint)), name, name, end)
			continue
		case len(c.Choices) == 0 && c.Kind == Bool:
			formula = `"TRUE,FALSE"`
		case len(c.Choices) == 0:
			continue
		default:
			formula = inlineList(c.Choices)
		}
		for at, l := range lists {
			if l.column == i {
				formula = listName(at)
			}
		}
		rules++
		name := ColumnName(i + 1)
		fmt.Fprintf(&b,
			`<dataValidation type="list" allowBlank="1" sqref="%s2:%s%d"><formula1>%s</formula1></dataValidation>`,
			name, name, end, strings.ReplaceAll(xmlText(formula), "&quot;", `"`)) // as Excel has it
	}
	rulesXML := ""
	if rules > 0 {
		rulesXML = fmt.Sprintf(`<dataValidations count="%d">%s</dataValidations>`, rules, b.String())
	}
	return `</sheetData>` + rulesXML +
		`<pageMargins left="0.7" right="0.7" top="0.75" bottom="0.75" header="0.3" footer="0.3"/>` +
		`<tableParts count="1"><tablePart r:id="rId1"/></tableParts></worksheet>`
}

// shortHint returns a hint cut to the length of a rule's message.
func shortHint(s string) string {
	const most = 255
	if utf16Length(s) <= most {
		return s
	}
	return truncateText(s, most-1) + "…"
}

// listName is the name under which the rules know the list at a place.
func listName(at int) string { return fmt.Sprintf("Choices%d", at+1) }

// definedNames returns the defined names of the lists (18.2.6).
func definedNames(lists []choiceList) string {
	var b strings.Builder
	for at, l := range lists {
		fmt.Fprintf(&b, `<definedName name="%s">%s!$%s$1:$%s$%d</definedName>`, listName(at), listsName, ColumnName(at+1),
			ColumnName(at+1), len(l.values))
	}
	if b.Len() == 0 {
		return ""
	}
	return `<definedNames>` + b.String() + `</definedNames>`
}

// table returns the table part (18.5.1.2) over so many rows, with the header. A table has at least one row below it.
func (e Export) table(rows int) string {
	ref := "A1:" + Address(max(rows, 2), len(e.Columns))
	var b strings.Builder
	fmt.Fprintf(&b,
		`<table%s id="1" name="%s" displayName="%s" ref="%s" totalsRowShown="0"><autoFilter ref="%s"/>`+
			`<tableColumns count="%d">`,
		mainSpace, tableName, tableName, ref, ref, len(e.Columns))
	for i, c := range e.Columns {
		fmt.Fprintf(&b, `<tableColumn id="%d" name="%s"/>`, i+1, string(appendText(nil, c.Heading)))
	}
	b.WriteString(`</tableColumns><tableStyleInfo name="TableStyleMedium2" showFirstColumn="0" showLastColumn="0" ` +
		`showRowStripes="1" showColumnStripes="0"/></table>`)
	return b.String()
}

// choiceList is the choices of a column that stand on the hidden sheet.
type choiceList struct {
	column int // from 0
	values []string
}

// choiceLists returns the choices that do not fit into a rule.
func (e Export) choiceLists() []choiceList {
	var lists []choiceList
	for i, c := range e.Columns {
		if len(c.Choices) > 0 && inlineList(c.Choices) == "" {
			lists = append(lists, choiceList{i, c.Choices[:min(len(c.Choices), maxSheetRows)]})
		}
	}
	return lists
}

// inlineList returns the choices as the formula of a rule (18.3.1.32), or "" when they do not fit: it holds 255
// characters, separates by commas, and drops blanks around a choice.
func inlineList(choices []string) string {
	const most = 255
	length := 0
	for _, c := range choices {
		length += utf16Length(c) + 1
		if strings.ContainsAny(c, `",`) || Clean(c) != c || c == "" ||
			strings.ContainsFunc(c, func(r rune) bool { return r < 0x20 }) {
			return ""
		}
	}
	if length-1 > most {
		return ""
	}
	return `"` + strings.Join(choices, ",") + `"`
}

// writeLists writes the hidden sheet: the choices of one column below each other.
func writeLists(z *zip.Writer, lists []choiceList) error {
	w, err := z.Create("xl/worksheets/sheet2.xml")
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, xmlHead+`<worksheet`+mainSpace+`><sheetData>`); err != nil {
		return err
	}
	letters := make([]string, len(lists))
	cells := make([]Cell, len(lists))
	rows := 0
	for i, l := range lists {
		letters[i] = ColumnName(i + 1)
		rows = max(rows, len(l.values))
	}
	var line []byte
	for r := range rows {
		for i, l := range lists {
			cells[i] = Cell{}
			if r < len(l.values) {
				cells[i] = TextCell(l.values[r])
			}
		}
		if line, err = appendRow(line[:0], r+1, letters, cells, styleOf); err != nil {
			return err
		}
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	_, err = io.WriteString(w, `</sheetData></worksheet>`)
	return err
}

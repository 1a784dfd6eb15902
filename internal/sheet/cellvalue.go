package sheet

import (
	"bytes"
	"errors"
	"unicode/utf8"

	"useraccounts/internal/fault"
)

// storedCell is what a c element holds.
type storedCell struct {
	kind    string // the attribute t (18.18.11)
	style   int    // the attribute s
	formula bool   // there is an f
	value   bool   // there is a v or an is; its text is in pass.value
}

// readValue reads the content of the c element that has just started, and returns the cell it makes. It returns
// errTextLong for a text that is too long.
func (p *pass) readValue() (Cell, error) {
	s := p.s
	kind, _ := s.attr("t")
	held := storedCell{kind: cellKind(kind), style: s.attrInt("s")}
	p.value = p.value[:0]
	depth := s.depth()
	for {
		tok, err := s.next()
		if err != nil {
			return Cell{}, err
		}
		if tok == tokenEnd {
			return p.makeCell(held)
		}
		if tok != tokenStart {
			continue
		}
		name := s.name
		switch {
		case s.ns != nsMain:
		case string(name) == "f":
			held.formula = true
		case string(name) == "v" && held.kind != "inlineStr", string(name) == "is" && held.kind == "inlineStr":
			if held.value {
				return Cell{}, corrupt("a second value in a cell of row %d", p.row)
			}
			held.value = true
			if string(name) == "v" {
				p.value, err = s.textOf(p.value, p.w.limits.CellChars)
			} else {
				p.value, err = s.richText(p.value, p.w.limits.CellChars)
			}
			if err != nil {
				return Cell{}, err
			}
		}
		if err := s.skipTo(depth); err != nil {
			return Cell{}, err
		}
	}
}

// cellKind returns the t attribute without an allocation; an unknown one is "?".
func cellKind(t []byte) string {
	for _, known := range [...]string{"", "n", "s", "str", "inlineStr", "b", "e", "d"} {
		if string(t) == known {
			return known
		}
	}
	return "?"
}

// makeCell returns the cell for what was stored.
func (p *pass) makeCell(held storedCell) (Cell, error) {
	trimmed := bytes.TrimSpace(p.value)
	switch held.kind {
	case "str", "inlineStr":
		// A formula with an empty text as its result has an empty v; one without a result has none.
		if held.value {
			return p.textCell(decodeEscapes(p.value))
		}
		trimmed = nil
	case "?":
		return Cell{}, corrupt("a cell of an unknown type in row %d", p.row)
	}
	if len(trimmed) == 0 {
		if held.formula {
			return Cell{Kind: FormulaWithoutValue}, nil
		}
		return Cell{}, nil
	}
	switch held.kind {
	case "s":
		index, ok := parseDigits(string(trimmed), 1, 9)
		if !ok {
			return Cell{}, corrupt("shared string %q", trimmed)
		}
		text, err := p.w.strings.get(index)
		if err != nil {
			return Cell{}, p.locate(err)
		}
		return p.textCell(text)
	case "b":
		if isXMLTrue(trimmed) {
			return BoolCell(true), nil
		}
		if string(trimmed) != "0" && string(trimmed) != "false" {
			return Cell{}, corrupt("boolean %q", trimmed)
		}
		return BoolCell(false), nil
	case "e":
		return Cell{Kind: ErrorValue, Text: string(trimmed)}, nil
	case "d":
		t, timed, ok := isoDay(string(trimmed))
		if !ok {
			return Cell{}, corrupt("date %q", trimmed)
		}
		cell := DateCell(t)
		cell.TimeDropped = timed
		return cell, nil
	}
	return p.numberCell(trimmed, held.style)
}

// locate returns an error of the shared strings; the caller adds the cell's address to a text that is too long.
func (p *pass) locate(err error) error {
	if fault.HasCode(err, CodeCellTooLong) {
		return errTextLong
	}
	return err
}

// textCell returns a cell of text; of the empty text a blank one.
func (p *pass) textCell(text string) (Cell, error) {
	if most := p.w.limits.CellChars; len(text) > most && (len(text) > most*utf8.UTFMax || utf16Length(text) > most) {
		return Cell{}, errTextLong
	}
	return TextCell(text), nil
}

// errNumber is the cause of a fault for a number that cannot be read.
var errNumber = errors.New("a number that is none")

// numberCell returns the cell for a number: a Date if the style is a date and the number is a day, else a Number.
func (p *pass) numberCell(b []byte, style int) (Cell, error) {
	x, ok := parseNumber(b)
	if !ok {
		return Cell{}, corrupt("%w: %q in row %d", errNumber, b[:min(len(b), maxQuoted)], p.row)
	}
	var format cellFormat
	if style >= 0 && style < len(p.w.formats) {
		format = p.w.formats[style]
	}
	if format.date {
		if t, timed, ok := serialDay(x, p.w.epoch1904); ok {
			cell := DateCell(t)
			cell.TimeDropped = timed
			return cell, nil
		}
	}
	return Cell{Kind: Number, Text: numberText(x, format)}, nil
}

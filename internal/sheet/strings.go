package sheet

import "errors"

// errTextLong is returned for a text that is longer than a cell may be; partFault never sees it.
var errTextLong = errors.New("text longer than a cell holds")

// sharedStrings is the shared strings part (18.4.9), read no further than necessary. Programs write it in the order of
// the cells, so the strings of rows that are not read cost nothing.
type sharedStrings struct {
	archive *archive
	part    string

	s        *scanner
	r        *partReader
	values   []string
	complete bool  // all are read, and the checksum was right
	err      error // what ended the reading; it stays
	buf      []byte
}

// get returns the string of that index, or a fault. Each string is made once and shared by its cells.
func (t *sharedStrings) get(index int) (string, error) {
	if t == nil {
		return "", corrupt("a shared string, but no shared strings")
	}
	for index >= len(t.values) {
		if t.err == nil && !t.complete {
			t.err = t.readNext()
		}
		if t.err != nil {
			return "", t.err
		}
		if t.complete {
			return "", corrupt("shared string %d of %d", index, len(t.values))
		}
	}
	return t.values[index], nil
}

// readNext reads the next string; at the end of the part it sets complete.
func (t *sharedStrings) readNext() error {
	err := t.parseNext()
	if errors.Is(err, errTextLong) {
		return cellTooLong("", t.archive.limits.CellChars)
	}
	return partFault(t.part, err)
}

func (t *sharedStrings) parseNext() error {
	if t.s == nil {
		var err error
		if t.s, t.r, err = t.archive.scan(t.part); err != nil {
			return err
		}
		if err := t.s.root(nsMain, "sst"); err != nil {
			return err
		}
	}
	for {
		tok, err := t.s.next()
		switch {
		case err != nil:
			return err
		case tok == tokenEnd: // of the root: each child is read to its end below
			t.complete = true
			return t.r.drain()
		case tok != tokenStart:
			continue
		case t.s.ns != nsMain || string(t.s.name) != "si":
			if err := t.s.skipTo(1); err != nil {
				return err
			}
			continue
		case len(t.values) >= t.archive.limits.Strings:
			return tooManyParts("strings", t.archive.limits.Strings)
		}
		if t.buf, err = t.s.richText(t.buf[:0], t.archive.limits.CellChars); err != nil {
			return err
		}
		text := decodeEscapes(t.buf)
		if utf16Length(text) > t.archive.limits.CellChars {
			return errTextLong
		}
		t.values = append(t.values, text)
		return nil
	}
}

// check reads the rest of the part without keeping it, so that damage is found even there.
func (t *sharedStrings) check() error {
	if t == nil || t.complete || t.s == nil {
		return nil
	}
	if t.err == nil {
		t.err = t.r.drain()
		t.complete = true // valid for later passes too: they need no more strings than this complete one
	}
	return t.err
}

// richText appends the text of the element that s has just started, a si or is (18.4.8, 18.3.1.53): its t, or those of
// its runs, without the phonetic ones. It reads to the element's end. Text that is certainly longer than limit is
// errTextLong.
func (s *scanner) richText(buf []byte, limit int) ([]byte, error) {
	depth := s.depth()
	for {
		tok, err := s.next()
		if err != nil {
			return buf, err
		}
		switch {
		case tok == tokenEnd && s.depth() < depth:
			return buf, nil
		case tok != tokenStart:
		case s.ns == nsMain && string(s.name) == "t":
			if buf, err = s.textOf(buf, limit); err != nil {
				return buf, err
			}
		case s.ns == nsMain && string(s.name) == "r" && s.depth() == depth+1:
			// its t comes next
		default:
			if err := s.skipTo(s.depth() - 1); err != nil {
				return buf, err
			}
		}
	}
}

// escapeLength is the length of "_x000D_", the longest way to write one UTF-16 code unit.
const escapeLength = 7

// textOf appends the text of the element that s has just started, and reads to its end.
func (s *scanner) textOf(buf []byte, limit int) ([]byte, error) {
	depth := s.depth()
	for {
		tok, err := s.next()
		if err != nil {
			return buf, err
		}
		switch tok {
		case tokenEnd:
			return buf, nil
		case tokenText:
			if len(buf)+len(s.text) > limit*escapeLength {
				return buf, errTextLong
			}
			buf = append(buf, s.text...)
		case tokenStart:
			if err := s.skipTo(depth); err != nil {
				return buf, err
			}
		case tokenEOF:
			return buf, errMalformed // next is never at the end inside an element
		}
	}
}

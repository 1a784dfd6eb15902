package sheet

import (
	"bytes"
	"io"
	"strconv"
)

// editor copies a part byte for byte while it scans it, except where its user writes something in place of a token. So
// everything that a program put into the part stays there.
type editor struct {
	*scanner
	raw []byte // the bytes of the token that was read last, with comments and instructions before it
	out io.Writer
	err error // the first error of writing
}

func newEditor(src io.Reader, depth int, out io.Writer) (*editor, error) {
	s, err := newScanner(src, depth)
	if err != nil {
		return nil, err
	}
	s.keep = true
	return &editor{scanner: s, out: out}, nil
}

// read reads the next token and does not write it.
func (e *editor) read() (token, error) {
	e.kept = e.kept[:0]
	tok, err := e.next()
	if err != nil {
		return tok, err
	}
	e.raw = e.buf[e.keptTo:e.pos]
	if len(e.kept) > 0 {
		e.kept = append(e.kept, e.raw...)
		e.raw = e.kept
	}
	e.keptTo = e.pos
	if e.utf16 && bytes.HasPrefix(e.raw, []byte("<?xml")) {
		// What is written is UTF-8, which the declaration must not deny.
		e.raw = e.raw[bytes.Index(e.raw, []byte("?>"))+2:]
	}
	return tok, e.err
}

// write writes bytes.
func (e *editor) write(b []byte) {
	if e.err == nil {
		_, e.err = e.out.Write(b)
	}
}

func (e *editor) writeString(s string) { e.write([]byte(s)) }

// takeTag writes the text before the tag that was just read, and returns the tag.
func (e *editor) takeTag() []byte {
	i := max(0, bytes.LastIndexByte(e.raw, '<')) // no attribute contains one
	e.write(e.raw[:i])
	return e.raw[i:]
}

// copyTo copies until no more than depth elements are open.
func (e *editor) copyTo(depth int) error {
	for e.depth() > depth {
		if _, err := e.read(); err != nil {
			return err
		}
		e.write(e.raw)
	}
	return nil
}

// discardTo reads until no more than depth elements are open, without writing.
func (e *editor) discardTo(depth int) error {
	for e.depth() > depth {
		if _, err := e.read(); err != nil {
			return err
		}
	}
	return nil
}

// finish copies the rest, and returns the first error of reading or writing.
func (e *editor) finish() error {
	for {
		tok, err := e.read()
		if err != nil {
			return err
		}
		e.write(e.raw)
		if tok == tokenEOF {
			return e.err
		}
	}
}

// prefix returns the prefix, with its colon, of the element that was started last.
func (e *editor) prefix() string {
	name := e.openNames[e.openStarts[len(e.openStarts)-1]:]
	if i := bytes.IndexByte(name, ':'); i >= 0 {
		return string(name[:i+1])
	}
	return ""
}

// attrSpan returns the position of an attribute without a prefix in a start tag, from the white space before it on, and
// the positions of its value; zeros if it is not there. The scanner must have accepted the tag.
func attrSpan(tag []byte, name string) (from, value, end int) {
	i := 1 + nameLength(tag[1:])
	for i < len(tag) {
		start := i
		i += len(tag[i:]) - len(trimLeft(tag[i:]))
		n := nameLength(tag[i:])
		if n == 0 {
			return 0, 0, 0
		}
		found := string(tag[i:i+n]) == name
		i += n
		i += bytes.IndexByte(tag[i:], '=') + 1
		i += len(tag[i:]) - len(trimLeft(tag[i:]))
		quote := tag[i]
		closing := i + 1 + bytes.IndexByte(tag[i+1:], quote)
		if found {
			return start, i + 1, closing
		}
		i = closing + 1
	}
	return 0, 0, 0
}

// withAttr returns a copy of a start tag with an attribute set; "" removes it. The value must need no escape.
func withAttr(tag []byte, name, value string) []byte {
	from, at, end := attrSpan(tag, name)
	var out []byte
	switch {
	case at != 0 && value == "":
		out = append(append(out, tag[:from]...), tag[end+1:]...)
	case at != 0:
		out = append(append(append(out, tag[:at]...), value...), tag[end:]...)
	case value == "":
		return bytes.Clone(tag)
	default:
		i := 1 + nameLength(tag[1:])
		out = append(out, tag[:i]...)
		out = append(out, ' ')
		out = append(append(append(append(out, name...), `="`...), value...), '"')
		out = append(out, tag[i:]...)
	}
	return out
}

// isSelfClosing reports whether a start tag is its own end.
func isSelfClosing(tag []byte) bool { return bytes.HasSuffix(tag, []byte("/>")) }

// raiseCount returns a start tag with its attribute count raised, if it has one.
func raiseCount(tag []byte, more int) []byte {
	_, at, end := attrSpan(tag, "count")
	if n, ok := parseDigits(string(tag[at:end]), 1, 9); ok && at != 0 {
		return withAttr(tag, "count", strconv.Itoa(n+more))
	}
	return bytes.Clone(tag)
}

// appendChildren copies the element whose start tag was just read, and writes inner before its end.
func (e *editor) appendChildren(more int, inner string) error {
	depth, tag := e.depth(), raiseCount(e.takeTag(), more)
	name := string(e.openNames[e.openStarts[len(e.openStarts)-1]:])
	if isSelfClosing(tag) {
		e.write(append(tag[:len(tag)-2], '>'))
		e.writeString(inner + "</" + name + ">")
		return e.discardTo(depth - 1)
	}
	e.write(tag)
	for {
		if _, err := e.read(); err != nil {
			return err
		}
		if e.depth() < depth {
			end := e.takeTag()
			e.writeString(inner)
			e.write(end)
			return e.err
		}
		e.write(e.raw)
	}
}

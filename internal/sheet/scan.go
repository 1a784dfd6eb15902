package sheet

import (
	"bytes"
	"errors"
	"io"
)

// token is what scanner.next found.
type token uint8

const (
	tokenStart token = iota // the start of an element: name, ns and attrs are set
	tokenEnd                // the end of an element
	tokenText               // a piece of text: text is set; one text may come in several pieces
	tokenEOF                // the end of a complete document
)

// Reasons for which a scanner stops. They become the cause of a fault, for the log.
var (
	errMalformed = errors.New("malformed XML")
	errEncoding  = errors.New("an encoding that is neither UTF-8 nor UTF-16")
	errTagLong   = errors.New("a tag or an XML instruction that is too long")
	errDeep      = errors.New("elements nested too deep")
	errDTD       = errors.New("a DTD or an entity in the XML")
)

const (
	windowSize    = 32 << 10
	maxWindow     = 256 << 10 // the longest tag, comment apart; the worst real one is a list of ranges of some 30 KB
	maxAttributes = 128
)

// attribute is one attribute of a start tag. Its bytes are good until the next call of next.
type attribute struct{ prefix, local, value []byte }

// scanner reads XML 1.0 as a stream of tokens, strictly: whatever it accepts, encoding/xml accepts with the same tokens
// (FuzzScan). Beyond that it refuses a DTD, entities other than the five of XML, non-ASCII names, duplicate attributes,
// text around the root, and anything beyond its limits. It needs no memory per token.
type scanner struct {
	src      io.Reader
	buf      []byte // buf[pos:end] is the window on what was read and not yet used
	pos, end int

	maxDepth   int
	openNames  []byte // the names of the open elements, one after the other
	openStarts []int  // where each of them starts in openNames
	spaces     namespaces

	selfClosed bool // the tag before was <a/>
	utf16      bool
	started    bool // something other than the byte order mark was read
	rootDone   bool

	name      []byte    // local name of the started element
	ns        namespace // its namespace
	attrs     []attribute
	text      []byte
	unescaped []byte // scratch for what had to be unescaped

	// keep makes the scanner keep the bytes that it passes, for editor. kept are those that have left the window; the rest
	// starts at buf[keptTo].
	keep   bool
	kept   []byte
	keptTo int
}

// newScanner returns a scanner of the document in src, which is UTF-8, or UTF-16 as its first bytes tell. It returns
// errors of src as they are.
func newScanner(src io.Reader, maxDepth int) (*scanner, error) {
	s := &scanner{src: src, buf: make([]byte, windowSize), maxDepth: maxDepth}
	for s.end < 4 {
		if err := s.fill(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
	}
	s.decode()
	return s, nil
}

// depth returns how many elements are open.
func (s *scanner) depth() int { return len(s.openStarts) }

// fill reads more bytes into the window buf[pos:end], which may move. It returns io.EOF at the end of the source, and
// errTagLong if the window has its maximum size.
func (s *scanner) fill() error {
	if s.pos > 0 {
		if s.keep {
			s.kept = append(s.kept, s.buf[s.keptTo:s.pos]...)
			s.keptTo = 0
		}
		copy(s.buf, s.buf[s.pos:s.end])
		s.end -= s.pos
		s.pos = 0
	}
	if s.end == len(s.buf) {
		if len(s.buf) >= maxWindow {
			return errTagLong
		}
		s.buf = append(s.buf, make([]byte, len(s.buf))...)
	}
	for range 100 {
		n, err := s.src.Read(s.buf[s.end:])
		s.end += n
		if n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// ensure makes sure that n bytes are in the window; errMalformed if the source ends before.
func (s *scanner) ensure(n int) error {
	for s.end-s.pos < n {
		if err := s.fill(); errors.Is(err, io.EOF) {
			return errMalformed
		} else if err != nil {
			return err
		}
	}
	return nil
}

// find returns the index, counted from pos, of pattern at or after from. It enlarges the window as necessary.
func (s *scanner) find(pattern string, from int) (int, error) {
	for {
		if i := bytes.Index(s.buf[min(s.pos+from, s.end):s.end], []byte(pattern)); i >= 0 {
			return from + i, nil
		}
		from = max(from, s.end-s.pos-len(pattern)+1)
		if err := s.fill(); errors.Is(err, io.EOF) {
			return 0, errMalformed
		} else if err != nil {
			return 0, err
		}
	}
}

// next returns the next token. After an error it must not be called again.
func (s *scanner) next() (token, error) {
	if s.selfClosed {
		s.selfClosed = false
		s.pop()
		return tokenEnd, nil
	}
	for {
		if s.pos == s.end {
			if err := s.fill(); errors.Is(err, io.EOF) {
				return s.finish()
			} else if err != nil {
				return 0, err
			}
		}
		if s.buf[s.pos] != '<' {
			tok, ok, err := s.textRun()
			if ok || err != nil {
				return tok, err
			}
			continue
		}
		if err := s.ensure(2); err != nil {
			return 0, err
		}
		switch s.buf[s.pos+1] {
		case '/':
			return tokenEnd, s.endTag()
		case '?':
			if err := s.instruction(); err != nil {
				return 0, err
			}
		case '!':
			if ok, err := s.declaration(); ok || err != nil {
				return tokenText, err
			}
		default:
			return tokenStart, s.startTag()
		}
		s.started = true
	}
}

// finish handles the end of the source, which is an error unless the root has been read.
func (s *scanner) finish() (token, error) {
	if !s.rootDone {
		return 0, errMalformed
	}
	return tokenEOF, nil
}

// tagEnd returns the index, counted from pos, of the ">" that ends the tag at pos.
func (s *scanner) tagEnd() (int, error) {
	var quote byte
	for i := 1; ; {
		for ; s.pos+i < s.end; i++ {
			switch c := s.buf[s.pos+i]; {
			case quote != 0:
				if c == quote {
					quote = 0
				}
			case c == '"' || c == '\'':
				quote = c
			case c == '>':
				return i, nil
			}
		}
		if err := s.fill(); errors.Is(err, io.EOF) {
			return 0, errMalformed
		} else if err != nil {
			return 0, err
		}
	}
}

// startTag reads the tag at pos.
func (s *scanner) startTag() error {
	if s.rootDone || len(s.openStarts) >= s.maxDepth {
		if s.rootDone {
			return errMalformed
		}
		return errDeep
	}
	n, err := s.tagEnd()
	if err != nil {
		return err
	}
	tag := s.buf[s.pos+1 : s.pos+n]
	s.pos += n + 1
	s.started = true
	if len(tag) > 0 && tag[len(tag)-1] == '/' {
		tag = tag[:len(tag)-1]
		s.selfClosed = true
	}
	length := nameLength(tag)
	prefix, local, ok := splitName(tag[:length])
	if !ok {
		return errMalformed
	}
	s.openStarts = append(s.openStarts, len(s.openNames))
	s.openNames = append(s.openNames, tag[:length]...)
	if err := s.attributes(tag[length:]); err != nil {
		return err
	}
	s.name = local
	s.ns = s.spaces.of(prefix)
	return nil
}

// attributes reads what follows the name in a start tag.
func (s *scanner) attributes(rest []byte) error {
	s.attrs = s.attrs[:0]
	s.unescaped = s.unescaped[:0]
	for {
		trimmed := trimLeft(rest)
		if len(trimmed) == 0 {
			return nil
		}
		if len(trimmed) == len(rest) || len(s.attrs) == maxAttributes {
			return errMalformed
		}
		length := nameLength(trimmed)
		prefix, local, ok := splitName(trimmed[:length])
		if !ok {
			return errMalformed
		}
		rest = trimLeft(trimmed[length:])
		if len(rest) == 0 || rest[0] != '=' {
			return errMalformed
		}
		rest = trimLeft(rest[1:])
		if len(rest) == 0 || rest[0] != '"' && rest[0] != '\'' {
			return errMalformed
		}
		end := bytes.IndexByte(rest[1:], rest[0])
		if end < 0 {
			return errMalformed
		}
		value, err := s.attributeValue(rest[1 : 1+end])
		if err != nil {
			return err
		}
		rest = rest[2+end:]
		for _, a := range s.attrs {
			if bytes.Equal(a.local, local) && bytes.Equal(a.prefix, prefix) {
				return errMalformed
			}
		}
		s.attrs = append(s.attrs, attribute{prefix, local, value})
		if err := s.spaces.declare(prefix, local, value, len(s.openStarts)); err != nil {
			return err
		}
	}
}

// endTag reads the end tag at pos, which must be that of the innermost open element.
func (s *scanner) endTag() error {
	n, err := s.tagEnd()
	if err != nil {
		return err
	}
	name := s.buf[s.pos+2 : s.pos+n]
	s.pos += n + 1
	length := nameLength(name)
	if len(s.openStarts) == 0 || len(trimLeft(name[length:])) > 0 ||
		!bytes.Equal(name[:length], s.openNames[s.openStarts[len(s.openStarts)-1]:]) {
		return errMalformed
	}
	s.pop()
	return nil
}

// pop closes the innermost element.
func (s *scanner) pop() {
	last := len(s.openStarts) - 1
	s.spaces.leave(len(s.openStarts))
	s.openNames = s.openNames[:s.openStarts[last]]
	s.openStarts = s.openStarts[:last]
	s.rootDone = last == 0
}

// attr returns the value of the attribute without a prefix of that name, and whether it is there.
func (s *scanner) attr(local string) ([]byte, bool) {
	for _, a := range s.attrs {
		if len(a.prefix) == 0 && string(a.local) == local {
			return a.value, true
		}
	}
	return nil, false
}

// attrIn returns the value of the attribute of that name in a namespace; "" if there is none.
func (s *scanner) attrIn(ns namespace, local string) string {
	for _, a := range s.attrs {
		if len(a.prefix) > 0 && string(a.local) == local && s.spaces.of(a.prefix) == ns {
			return string(a.value)
		}
	}
	return ""
}

// skipTo reads on until no more than depth elements are open.
func (s *scanner) skipTo(depth int) error {
	for len(s.openStarts) > depth {
		if _, err := s.next(); err != nil {
			return err
		}
	}
	return nil
}

// each calls f at the start of every child, in the namespace ns, of the innermost open element, and returns after that
// element's end. f may read as much of the child as it wants; it returns what stops the reading, or nil.
func (s *scanner) each(ns namespace, f func() error) error {
	depth := len(s.openStarts)
	for {
		tok, err := s.next()
		if err != nil {
			return err
		}
		if tok == tokenEnd {
			return nil
		}
		if tok != tokenStart {
			continue
		}
		if s.ns == ns {
			if err := f(); err != nil {
				return err
			}
		}
		if err := s.skipTo(depth); err != nil {
			return err
		}
	}
}

// root reads up to the start of the document's root element, which must have that name and namespace.
func (s *scanner) root(ns namespace, local string) error {
	tok, err := s.next()
	if err != nil {
		return err
	}
	if tok != tokenStart || s.ns != ns || string(s.name) != local {
		return errMalformed
	}
	return nil
}

package sheet

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"
)

// decode looks at the first bytes of the document, and puts a decoder in between if it is UTF-16 (XML 1.0, appendix F).
func (s *scanner) decode() {
	head := s.buf[:s.end]
	order := unicode.LittleEndian
	switch {
	case bytes.HasPrefix(head, []byte("\xEF\xBB\xBF")):
		s.pos = 3
		return
	case bytes.HasPrefix(head, []byte("\xFF\xFE")), bytes.HasPrefix(head, []byte("<\x00")):
	case bytes.HasPrefix(head, []byte("\xFE\xFF")), bytes.HasPrefix(head, []byte("\x00<")):
		order = unicode.BigEndian
	default:
		return
	}
	read := io.MultiReader(bytes.NewReader(bytes.Clone(head)), s.src)
	s.src = unicode.UTF16(order, unicode.UseBOM).NewDecoder().Reader(read)
	s.end = 0
	s.utf16 = true
}

// maxReference is the length of the longest reference that is taken: "&#x10FFFF;" and two leading zeros.
const maxReference = 12

// textRun reads text up to the next tag or the end of the window, whichever is first. Outside of the root there may be
// white space only, which is no token.
func (s *scanner) textRun() (token, bool, error) {
	n := bytes.IndexByte(s.buf[s.pos:s.end], '<')
	for n < 0 && s.end-s.pos < windowSize {
		from := s.end - s.pos
		if err := s.fill(); errors.Is(err, io.EOF) {
			n = s.end - s.pos
			break
		} else if err != nil {
			return 0, false, err
		}
		if n = bytes.IndexByte(s.buf[s.pos+from:s.end], '<'); n >= 0 {
			n += from
		}
	}
	if n < 0 {
		n = safeCut(s.buf[s.pos:s.end])
	}
	raw := s.buf[s.pos : s.pos+n]
	s.pos += n
	if len(s.openStarts) == 0 {
		s.started = true
		if len(trimLeft(raw)) > 0 {
			return 0, false, errMalformed
		}
		return 0, false, nil
	}
	if isPlain(raw) {
		s.text = raw
		return tokenText, true, nil
	}
	var err error
	s.unescaped, err = unescape(s.unescaped[:0], raw, inText)
	s.text = s.unescaped
	return tokenText, true, err
}

// safeCut returns how much of a piece of text without a tag can be read before the rest of it is known: it does not cut
// through a reference, a rune, a line end or a "]]>".
func safeCut(b []byte) int {
	n := len(b)
	if i := bytes.LastIndexByte(b[max(0, n-maxReference):], '&'); i >= 0 &&
		bytes.IndexByte(b[max(0, n-maxReference)+i:], ';') < 0 {
		n = max(0, n-maxReference) + i
	}
	for range 2 {
		if n > 0 && (b[n-1] == ']' || b[n-1] == '\r') {
			n--
		}
	}
	for i := max(0, n-utf8.UTFMax); i < n; i++ {
		if utf8.RuneStart(b[i]) && !utf8.FullRune(b[i:n]) {
			return i
		}
	}
	return n
}

// attributeValue returns an attribute's value without escapes.
func (s *scanner) attributeValue(raw []byte) ([]byte, error) {
	if isPlain(raw) && bytes.IndexByte(raw, '<') < 0 {
		return raw, nil
	}
	from := len(s.unescaped)
	var err error
	s.unescaped, err = unescape(s.unescaped, raw, inAttribute)
	return s.unescaped[from:], err
}

// declaration reads what begins with "<!" at pos: a comment, which is skipped, or a CDATA section, which is text (and
// ok).
func (s *scanner) declaration() (ok bool, err error) {
	const comment, cdata = "<!--", "<![CDATA["
	if err := s.ensure(len(comment)); err != nil {
		return false, err
	}
	if string(s.buf[s.pos:s.pos+len(comment)]) == comment {
		s.pos += len(comment)
		return false, s.skipComment()
	}
	if s.buf[s.pos+2] != '[' || len(s.openStarts) == 0 {
		return false, errDTD
	}
	if err := s.ensure(len(cdata)); err != nil {
		return false, err
	}
	if string(s.buf[s.pos:s.pos+len(cdata)]) != cdata {
		return false, errDTD
	}
	n, err := s.find("]]>", len(cdata))
	if err != nil {
		return false, err
	}
	s.unescaped, err = unescape(s.unescaped[:0], s.buf[s.pos+len(cdata):s.pos+n], inCDATA)
	s.text = s.unescaped
	s.pos += n + 3
	return true, err
}

// skipComment reads to the end of a comment, in which "--" may not stand (XML 1.0, 2.5). It keeps none of it.
func (s *scanner) skipComment() error {
	for {
		if i := bytes.Index(s.buf[s.pos:s.end], []byte("--")); i >= 0 {
			s.pos += i
			if err := s.ensure(3); err != nil {
				return err
			}
			s.pos += 3
			if s.buf[s.pos-1] != '>' {
				return errMalformed
			}
			return nil
		}
		if s.end > s.pos {
			s.pos = s.end - 1
		}
		if err := s.fill(); errors.Is(err, io.EOF) {
			return errMalformed
		} else if err != nil {
			return err
		}
	}
}

// instruction reads the "<?...?>" at pos. The XML declaration must be the first thing, and name a known encoding.
func (s *scanner) instruction() error {
	n, err := s.find("?>", 2)
	if err != nil {
		return err
	}
	body := s.buf[s.pos+2 : s.pos+n]
	s.pos += n + 2
	length := nameLength(body)
	if length == 0 || length < len(body) && len(trimLeft(body[length:length+1])) > 0 {
		return errMalformed
	}
	if !strings.EqualFold(string(body[:length]), "xml") {
		return nil
	}
	if s.started || string(body[:length]) != "xml" {
		return errMalformed
	}
	s.attrs = s.attrs[:0]
	if err := s.attributes(body[length:]); err != nil {
		return err
	}
	for _, a := range s.attrs {
		if l := string(a.local); len(a.prefix) > 0 || l != "version" && l != "encoding" && l != "standalone" {
			return errMalformed
		}
	}
	if version, ok := s.attr("version"); !ok || string(version) != "1.0" {
		return errMalformed
	}
	encoding, _ := s.attr("encoding")
	switch strings.ToLower(string(encoding)) {
	case "":
	case "utf-8", "us-ascii":
		if s.utf16 {
			return errEncoding
		}
	case "utf-16", "utf-16le", "utf-16be":
		if !s.utf16 {
			return errEncoding
		}
	default:
		return errEncoding
	}
	return nil
}

// textContext is the place of a piece of text, which decides on its rules.
type textContext uint8

const (
	inText textContext = iota
	inAttribute
	inCDATA
)

// isPlain reports whether b is ASCII text without anything to replace or refuse.
func isPlain(b []byte) bool {
	for _, c := range b {
		if c < 0x20 && c != '\n' && c != '\t' || c >= 0x80 || c == '&' || c == ']' {
			return false
		}
	}
	return true
}

// unescape appends raw to dst: references replaced, line ends made "\n" (XML 1.0, 2.11), characters checked (2.2).
func unescape(dst, raw []byte, in textContext) ([]byte, error) {
	for i := 0; i < len(raw); {
		switch c := raw[i]; {
		case c == '&' && in != inCDATA:
			r, n, err := reference(raw[i:])
			if err != nil {
				return dst, err
			}
			dst = utf8.AppendRune(dst, r)
			i += n
		case c == '\r':
			dst = append(dst, '\n')
			if i++; i < len(raw) && raw[i] == '\n' {
				i++
			}
		case c == '<' && in == inAttribute,
			c == ']' && in == inText && bytes.HasPrefix(raw[i:], []byte("]]>")):
			return dst, errMalformed
		case c >= 0x20 && c < 0x80:
			dst = append(dst, c)
			i++
		default:
			r, n := utf8.DecodeRune(raw[i:])
			if r == utf8.RuneError && n == 1 || !isXMLChar(r) {
				return dst, errMalformed
			}
			dst = append(dst, raw[i:i+n]...)
			i += n
		}
	}
	return dst, nil
}

// reference reads the reference at the start of b, and returns its character and its length. Only the five entities of
// XML are known (4.6); any other one needs a DTD.
func reference(b []byte) (rune, int, error) {
	end := bytes.IndexByte(b[:min(len(b), maxReference)], ';')
	if end < 2 {
		return 0, 0, errMalformed
	}
	name := string(b[1:end])
	switch name {
	case "lt":
		return '<', end + 1, nil
	case "gt":
		return '>', end + 1, nil
	case "amp":
		return '&', end + 1, nil
	case "apos":
		return '\'', end + 1, nil
	case "quot":
		return '"', end + 1, nil
	}
	if name[0] != '#' {
		return 0, 0, errDTD
	}
	number, base := name[1:], 10
	if strings.HasPrefix(number, "x") {
		number, base = number[1:], 16
	}
	n, err := strconv.ParseUint(number, base, 21)
	if err != nil || !isXMLChar(rune(n)) {
		return 0, 0, errMalformed
	}
	return rune(n), end + 1, nil
}

// isXMLChar reports whether r may stand in XML (XML 1.0, 2.2).
func isXMLChar(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' ||
		r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= utf8.MaxRune
}

// nameLength returns the length of the name at the start of b. Names are ASCII here, as all of a workbook are.
func nameLength(b []byte) int {
	for i, c := range b {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_':
		case i > 0 && (c >= '0' && c <= '9' || c == '-' || c == '.' || c == ':'):
		default:
			return i
		}
	}
	return len(b)
}

// splitName returns the prefix and the local part of a name, and whether it is one.
func splitName(name []byte) (prefix, local []byte, ok bool) {
	i := bytes.IndexByte(name, ':')
	if i < 0 {
		return nil, name, len(name) > 0
	}
	prefix, local = name[:i], name[i+1:]
	return prefix, local,
		len(prefix) > 0 && nameLength(local) == len(local) && len(local) > 0 && bytes.IndexByte(local, ':') < 0
}

// trimLeft returns b without the white space of XML at its start.
func trimLeft(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t' || b[0] == '\n' || b[0] == '\r') {
		b = b[1:]
	}
	return b
}

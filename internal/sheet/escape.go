package sheet

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Texts in a workbook write what XML cannot hold as _xHHHH_, one UTF-16 code unit each (22.9.2.19, ST_Xstring), and an
// underscore that would begin such an escape as _x005F_.

// decodeEscapes returns the text that was stored as b.
func decodeEscapes(b []byte) string {
	if !hasEscape(b) {
		return string(b)
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); {
		unit, ok := escapeAt(b[i:])
		if !ok {
			out = append(out, b[i])
			i++
			continue
		}
		i += escapeLength
		r := rune(unit)
		if utf16.IsSurrogate(r) {
			// Half a character stands for nothing, unless the other half follows.
			low, _ := escapeAt(b[i:])
			if r = utf16.DecodeRune(r, rune(low)); r != utf8.RuneError {
				i += escapeLength
			}
		}
		out = utf8.AppendRune(out, r)
	}
	return string(out)
}

// hasEscape reports whether there is an escape in b.
func hasEscape(b []byte) bool {
	for i := range b {
		if b[i] == '_' {
			if _, ok := escapeAt(b[i:]); ok {
				return true
			}
		}
	}
	return false
}

// escapeAt returns the code unit of the escape at the start of b, and whether there is one.
func escapeAt[T string | []byte](b T) (uint16, bool) {
	if len(b) < escapeLength || b[0] != '_' || b[1] != 'x' || b[6] != '_' {
		return 0, false
	}
	var unit uint16
	for i := 2; i < 6; i++ {
		c := b[i]
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		unit = unit<<4 | uint16(c)
	}
	return unit, true
}

// appendText appends s as the content of a t element. What is no UTF-8 becomes U+FFFD. A carriage return is escaped as
// Excel does it, since a raw one is a line feed to whoever reads XML.
func appendText(dst []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	for i, r := range s {
		switch {
		case r == '_':
			if _, ok := escapeAt(s[i:]); ok {
				dst = append(dst, "_x005F"...)
			}
			dst = append(dst, '_')
		case r == '\r' || !isXMLChar(r):
			dst = append(dst, '_', 'x', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15], '_')
		default:
			dst = appendXML(dst, r)
		}
	}
	return dst
}

// appendXML appends one character, escaped where XML needs it in text or in an attribute.
func appendXML(dst []byte, r rune) []byte {
	switch r {
	case '&':
		return append(dst, "&amp;"...)
	case '<':
		return append(dst, "&lt;"...)
	case '>':
		return append(dst, "&gt;"...)
	case '"':
		return append(dst, "&quot;"...)
	}
	return utf8.AppendRune(dst, r)
}

// xmlText returns s escaped for an attribute or a text of XML that is no cell, such as a name; what XML cannot hold
// becomes a blank.
func xmlText(s string) string {
	var dst []byte
	for _, r := range strings.ToValidUTF8(s, "\uFFFD") {
		if !isXMLChar(r) || r < 0x20 {
			r = ' '
		}
		dst = appendXML(dst, r)
	}
	return string(dst)
}

// utf16Length returns the length of s in UTF-16 code units, as Excel counts.
func utf16Length(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

package field

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// isBlank reports white space and the invisible marks that copying leaves at the ends of a text. Cells of a sheet are
// trimmed in the same way, so that an export can be imported unchanged.
func isBlank(r rune) bool {
	return unicode.IsSpace(r) || (r >= 0x200B && r <= 0x200F) || isDirectionMark(r) || r == 0x2060 || r == 0xFEFF ||
		r == 0x00AD
}

// isDirectionMark reports an embedding, override or isolate, which turns the text beside it round (UAX #9).
func isDirectionMark(r rune) bool {
	return (r >= 0x202A && r <= 0x202E) || (r >= 0x2066 && r <= 0x2069)
}

// LocateRune names the first character of text that matches, and its place, for people who cannot see it: "U+200B after
// “case”". It returns "" when none matches.
func LocateRune(text string, match func(rune) bool) string {
	i := strings.IndexFunc(text, match)
	if i < 0 {
		return ""
	}
	r, _ := utf8.DecodeRuneInString(text[i:])
	if i == 0 {
		return fmt.Sprintf("%U at the beginning", r)
	}
	before := []rune(text[:i])
	return fmt.Sprintf("%U after “%s”", r, string(before[max(0, len(before)-20):]))
}

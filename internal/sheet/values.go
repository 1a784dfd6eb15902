package sheet

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"useraccounts/internal/fault"
)

// Clean returns s without white space at its ends: blanks, tabs, line ends, non-breaking and other Unicode spaces, and
// the invisible characters (zero-width space, byte order mark, soft hyphen, direction marks and overrides) that copying
// from a web page, a mail or a dialog leaves.
func Clean(s string) string { return strings.TrimFunc(s, isSpace) }

// isSpace reports whether r looks like white space.
func isSpace(r rune) bool {
	switch {
	case unicode.IsSpace(r):
		return true
	case r >= 0x200B && r <= 0x200F, r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069, r == 0x2060, r == 0xFEFF,
		r == 0x00AD:
		return true
	}
	return false
}

// SplitCodes returns the codes in s, which are separated by semicolons, full-width semicolons or line breaks: cleaned,
// without blanks, and each once without regard to case, in the order and spelling of the first.
func SplitCodes(s string) []string {
	var codes []string
	seen := make(map[string]bool)
	for part := range strings.FieldsFuncSeq(s, isSeparator) {
		code := Clean(part)
		key := strings.ToLower(code)
		if code == "" || seen[key] {
			continue
		}
		seen[key] = true
		codes = append(codes, code)
	}
	return codes
}

// isSeparator reports whether r stands between two codes; none of them can stand in a code.
func isSeparator(r rune) bool { return strings.ContainsRune(";\uFF1B\n\r\u2028\u2029", r) }

// JoinCodes returns codes as SplitCodes reads them.
func JoinCodes(codes []string) string { return strings.Join(codes, "; ") }

// fieldFault returns a field that says what is wrong with c, after its address. The caller adds the column's heading.
func (c Cell) fieldFault(code, format string, args ...any) *fault.Field {
	return &fault.Field{Code: code, Message: c.Address() + " " + fmt.Sprintf(format, args...)}
}

// maxQuoted bounds the characters of a value within a message.
const maxQuoted = 60

// quote returns a value for a message: cleaned, in quotes, cut when long, and without characters that cannot be shown.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	n := 0
	for _, r := range Clean(s) {
		if n++; n > maxQuoted {
			b.WriteString("...")
			break
		}
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			r = ' '
		}
		b.WriteRune(r)
	}
	b.WriteByte('"')
	return b.String()
}

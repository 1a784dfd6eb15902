package catalogue

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxCode is the longest code, in characters.
const MaxCode = 50

// MaxEntries is how many codes of a kind an environment can have: every function holds all of them in memory.
const MaxEntries = 5000

// maxFolded bounds the form that becomes part of a key: one character can stand for many.
const maxFolded = 2 * MaxCode

// CodeFault says what keeps a text, cleaned of blanks at its ends, from being a code, or "". Codes stand in lists
// parted by semicolons, in addresses and in cells of a sheet, and two that look alike must not be two.
func CodeFault(code string) string {
	switch {
	case code == "":
		return "A code is required."
	case strings.ContainsAny(code, ";/\\"):
		return "A code cannot hold a semicolon or a slash: they part codes in lists and in addresses."
	case strings.ContainsFunc(code,
		func(r rune) bool { return unicode.In(r, unicode.C, unicode.Zl, unicode.Zp) || r == utf8.RuneError }):
		return "A code cannot hold control characters or invisible ones."
	case code == "." || code == ".." || strings.EqualFold(code, "<clear>"):
		return "This text means something else in addresses or sheets; choose another code."
	case utf8.RuneCountInString(code) > MaxCode || utf8.RuneCountInString(Fold(code)) > maxFolded:
		return "A code has at most 50 characters, each of which stands for itself."
	}
	return ""
}

// QuoteCode returns a caller's code as a message shows it: in quotation marks, and cut to the length of a code.
func QuoteCode(code string) string {
	if r := []rune(code); len(r) > MaxCode {
		code = string(r[:MaxCode]) + "…"
	}
	return "“" + code + "”"
}

// ContainsCode reports whether a code is among codes, compared without regard to case.
func ContainsCode(codes []string, code string) bool {
	folded := Fold(code)
	return slices.ContainsFunc(codes, func(c string) bool { return Fold(c) == folded })
}

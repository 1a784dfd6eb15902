package catalogue

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxCode is the longest code, in characters.
const MaxCode = 50

// MaxEntries is the most codes of a kind in an environment: every function has all of them in memory.
const MaxEntries = 5000

// maxFolded limits the folded form, which is part of a key: one character can become many.
const maxFolded = 2 * MaxCode

// CodeFault says why a text without blanks at its ends cannot be a code, or "". Codes are in lists separated by
// semicolons, in URLs and in cells of a sheet, and two that look alike must not be different.
func CodeFault(code string) string {
	switch {
	case code == "":
		return "A code is required."
	case strings.ContainsAny(code, ";/\\"):
		return "A code cannot contain semicolons or slashes."
	case strings.ContainsFunc(code,
		func(r rune) bool { return unicode.In(r, unicode.C, unicode.Zl, unicode.Zp) || r == utf8.RuneError }):
		return "A code cannot contain control characters or invisible characters."
	case code == "." || code == ".." || strings.EqualFold(code, "<clear>"):
		return "This text has a special meaning; choose another code."
	case utf8.RuneCountInString(code) > MaxCode:
		return "A code can have at most 50 characters."
	case utf8.RuneCountInString(Fold(code)) > maxFolded:
		return "A code cannot contain characters that stand for many others."
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

package account

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Fold returns the form in which texts are searched and sorted: that of identifiers, for any text. Two texts that
// differ only in case, width or Unicode form have the same one.
func Fold(text string) string {
	if isASCII(text) {
		return strings.ToLower(strings.TrimSpace(text))
	}
	return strings.TrimFunc(foldText(text), unicode.IsSpace)
}

// isASCII reports whether text is ASCII, for which folding is lower case; nearly all texts of a directory are.
func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

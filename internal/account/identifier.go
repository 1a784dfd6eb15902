package account

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Normalise returns the form in which usernames and emails are compared, and whether text can be one at all: outer
// white space off, NFKC, case-folded, at most MaxEmail characters and free of control, format and unassigned
// characters. It is idempotent, and every path that takes an identifier goes through it (C03, C04).
func Normalise(text string) (string, bool) {
	// Bounded before the work, generously: no form of MaxEmail characters has more bytes, as one can decompose into three.
	if len(text) > MaxEmail*3*utf8.UTFMax || !utf8.ValidString(text) {
		return "", false
	}
	id := strings.TrimFunc(text, unicode.IsSpace)
	// Folding can undo normal form and the reverse; two rounds settle all but a few exotic sequences, which are refused.
	for range 3 {
		next := strings.TrimFunc(foldText(id), unicode.IsSpace)
		if next == id {
			return id, id != "" && utf8.RuneCountInString(id) <= MaxEmail && !strings.ContainsFunc(id, isForbiddenRune)
		}
		id = next
	}
	return "", false
}

// foldText decomposes before it folds, or the iota written below would fold differently with and without an accent.
func foldText(text string) string {
	return norm.NFKC.String(cases.Fold().String(norm.NFKD.String(text)))
}

// isForbiddenRune reports runes that make two identifiers look alike or cannot be typed.
func isForbiddenRune(r rune) bool {
	return r == utf8.RuneError || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs, unicode.Zl, unicode.Zp) ||
		!unicode.IsOneOf([]*unicode.RangeTable{unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Zs}, r)
}

// validEmail reports whether text is a plain address: local part, one @, a domain with a dot. Quoted local parts,
// comments, display names and address literals are refused (C41); the length is checked before parsing (C51).
func validEmail(text string) bool {
	if len(text) > MaxEmail*utf8.UTFMax || strings.Count(text, "@") != 1 || strings.ContainsAny(text, "\"()<>[]\\,;: ") {
		return false
	}
	parsed, err := mail.ParseAddress(text)
	if err != nil || parsed.Address != text || parsed.Name != "" {
		return false
	}
	_, domain, _ := strings.Cut(text, "@")
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || len(label) > 63 || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return false
		}
		if strings.ContainsFunc(label,
			func(r rune) bool { return !unicode.In(r, unicode.L, unicode.M, unicode.N) && r != '-' }) {
			return false
		}
	}
	return strings.Contains(domain, ".")
}

// IsEmail reports whether text is a plain email address, as an account may have one.
func IsEmail(text string) bool { return validEmail(text) }

// MayBeEmail reports whether a normalised identifier is of the kind that usernames and emails share.
func MayBeEmail(identifier string) bool { return strings.Contains(identifier, "@") }

// LoginKeys returns the identifiers, normalised, that the account claims besides its username's place in the directory:
// its email, and its username where that could be somebody's email.
func (a Account) LoginKeys() []string {
	var keys []string
	if email, ok := Normalise(a.Email); ok && a.Email != "" {
		keys = append(keys, email)
	}
	if username := a.DirectoryKey(); MayBeEmail(username) && (len(keys) == 0 || keys[0] != username) {
		keys = append(keys, username)
	}
	return keys
}

// DirectoryKey returns the normalised username, which is the account's place in the directory.
func (a Account) DirectoryKey() string {
	key, _ := Normalise(a.Username)
	return key
}

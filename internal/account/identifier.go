package account

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Normalise returns the form in which usernames and emails are compared: trimmed, NFKC, case-folded. It is false for a
// text that cannot be an identifier: longer than MaxEmail, or with control, format or unassigned characters. It is
// idempotent, and every identifier goes through it (C03, C04).
func Normalise(text string) (string, bool) {
	// Long texts are refused before the work. No form of MaxEmail characters has more bytes: one can decompose into three.
	if len(text) > MaxEmail*3*utf8.UTFMax || !utf8.ValidString(text) {
		return "", false
	}
	id := strings.TrimFunc(text, unicode.IsSpace)
	// Folding can undo the normal form, and the reverse. After two rounds only a few exotic sequences still change; they
	// are refused.
	for range 3 {
		next := strings.TrimFunc(foldText(id), unicode.IsSpace)
		if next == id {
			return id, id != "" && utf8.RuneCountInString(id) <= MaxEmail && !strings.ContainsFunc(id, isForbiddenRune)
		}
		id = next
	}
	return "", false
}

// foldText decomposes before it folds. Otherwise the iota subscript would fold differently with and without an accent.
func foldText(text string) string {
	return norm.NFKC.String(cases.Fold().String(norm.NFKD.String(text)))
}

// isForbiddenRune reports whether a rune could make two identifiers look alike, or cannot be typed.
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

// IsEmail reports whether text is an email address that an account may have.
func IsEmail(text string) bool { return validEmail(text) }

// MayBeEmail reports whether a normalised identifier could be an email, and not only a username.
func MayBeEmail(identifier string) bool { return strings.Contains(identifier, "@") }

// LoginKeys returns the normalised identifiers that the account claims, besides its place in the directory: its email,
// and its username if that could be somebody's email.
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

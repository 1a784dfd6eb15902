package password

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
)

// minPieceLength is how long a part of a text about the person has to be to count, minJoinedLength where separators are
// left out.
const (
	minPieceLength  = 4
	minJoinedLength = 6
)

// productName is what guessers of this product's passwords start with, whatever an environment calls itself in mails.
const productName = "User Accounts"

// Check returns what is wrong with a new password under the settings, as faults of the field "password". words are
// texts about the person and the environment that it must not contain (ASVS 5.0, 6.2.11).
func (a Argon2id) Check(settings environment.Settings, password string, words []string) []fault.Field {
	invalid := func(code, message string, args ...any) []fault.Field {
		return []fault.Field{{Field: "password", Code: code, Message: fmt.Sprintf(message, args...)}}
	}
	if !utf8.ValidString(password) {
		return invalid("notText", "The password contains bytes that are not text.")
	}
	length := utf8.RuneCountInString(norm.NFC.String(password))
	switch {
	case length < settings.PasswordMinLength:
		return invalid("tooShort", "The password needs at least %d characters; a few words are easy to remember.",
			settings.PasswordMinLength)
	case length > MaxLength:
		return invalid("tooLong", "The password has more than %d characters.", MaxLength)
	case !settings.PasswordNIST && countClasses(password) < settings.PasswordClasses:
		return invalid("classes",
			"The password needs %d of these character classes: lower-case letters, capitals, digits, others. It has %d.",
			settings.PasswordClasses, countClasses(password))
	}
	about := append(slices.Clone(words), settings.MailSenderName, productName)
	folded := fold(password)
	if containsAny(folded, personalPieces(about)) {
		return invalid("personal",
			"The password contains the username, the email, the name or the organisation's name, perhaps backwards or with "+
				"digits for letters. Choose one without them.")
	}
	if isTrivial(folded) || isCommon(folded) {
		return invalid("common",
			"The password is one of the first to be guessed. Choose another, such as four unrelated words.")
	}
	if s := a.Estimate(password, about); s.Score < minScore {
		return invalid("guessable", "The password is too easy to guess. %s", s.Advice)
	}
	return nil
}

// countClasses counts the character classes: lower-case letters, capitals, digits, and all others.
func countClasses(password string) int {
	var lower, upper, digit, other int
	for _, r := range password {
		switch {
		case unicode.IsLower(r):
			lower = 1
		case unicode.IsUpper(r):
			upper = 1
		case unicode.IsDigit(r):
			digit = 1
		default:
			other = 1
		}
	}
	return lower + upper + digit + other
}

// personalPieces returns the texts and their parts that are long enough, folded.
func personalPieces(words []string) []string {
	var out []string
	for _, word := range words {
		word = fold(word)
		for _, piece := range append(strings.FieldsFunc(word, isSeparator), word, removeSeparators(word)) {
			if utf8.RuneCountInString(piece) >= minPieceLength {
				out = append(out, piece)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// containsAny reports whether a password contains one of the pieces: as it is, without separators, backwards, or with
// digits and signs for letters.
func containsAny(folded string, pieces []string) bool {
	forms := []string{folded, removeSeparators(folded)}
	for _, piece := range pieces {
		backwards := []rune(piece)
		slices.Reverse(backwards)
		for i, form := range forms {
			if i > 0 && len(backwards) < minJoinedLength {
				break // short pieces occur by chance where words meet
			}
			if strings.Contains(form, piece) || strings.Contains(form, string(backwards)) {
				return true
			}
			for i, read := range unleet(form) {
				if strings.Contains(read, unleet(piece)[i]) || strings.Contains(read, unleet(string(backwards))[i]) {
					return true
				}
			}
		}
	}
	return false
}

func fold(s string) string { return cases.Fold().String(norm.NFKC.String(s)) }

func isSeparator(r rune) bool { return strings.ContainsRune(" @._-+'", r) }

func removeSeparators(s string) string {
	return strings.Map(func(r rune) rune {
		if isSeparator(r) {
			return -1
		}
		return r
	}, s)
}

// isTrivial reports passwords of fewer than four different characters, or of one sequence such as 123456789012 or
// abcdefghijkl.
func isTrivial(folded string) bool {
	runes := []rune(folded)
	distinct := map[rune]bool{}
	up, down := 0, 0
	for i, r := range runes {
		distinct[r] = true
		if i > 0 && r == runes[i-1]+1 {
			up++
		}
		if i > 0 && r == runes[i-1]-1 {
			down++
		}
	}
	return len(distinct) < 4 || max(up, down) >= len(runes)*3/4
}

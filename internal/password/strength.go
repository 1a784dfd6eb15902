package password

import (
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Strength is how hard a password is to guess.
type Strength struct {
	// Score is from 0 to 4, as in zxcvbn: below a thousand guesses, a million, a hundred million, ten thousand million.
	Score int
	// Advice says what makes it weak, empty for a score of 3 or more.
	Advice string
}

// minScore is the lowest score that is accepted: a million guesses.
const minScore = 2

// maxEstimatedLength is how many characters are considered; more of them make no password weaker.
const maxEstimatedLength = 64

// match is one part of a password that a guesser can produce from a pattern.
type match struct {
	from, to int // runes, to not included
	bits     float64
	advice   string
}

const (
	adviceWord     = "Common words and names are guessed first, also with capitals or with digits for letters."
	adviceKeyboard = "Neighbouring keys are guessed first."
	adviceSequence = "Sequences such as abc or 6543 are guessed first."
	adviceRepeat   = "Repetition hardly makes it harder to guess."
	adviceDate     = "Years and dates are guessed first."
	adviceShort    = "It is short."
	adviceMore     = " Add two or three words that are unrelated to each other and to you."
)

// Estimate returns how hard a password is to guess for somebody who knows these texts about the person.
func (Argon2id) Estimate(password string, about []string) Strength {
	bits, advice := estimateGuesses(norm.NFKC.String(password), personalPieces(about), 0)
	score := 0
	for score < 4 && bits >= []float64{3, 6, 8, 10}[score]*math.Log2(10)-1e-9 {
		score++
	}
	if score >= 3 {
		return Strength{Score: score}
	}
	return Strength{Score: score, Advice: advice + adviceMore}
}

// estimateGuesses returns the binary logarithm of how many guesses a text takes, and advice about its weakest part.
func estimateGuesses(text string, about []string, depth int) (float64, string) {
	typed := []rune(text)
	typed = typed[:min(len(typed), maxEstimatedLength)]
	folded := make([]rune, len(typed))
	for i, r := range typed {
		folded[i] = unicode.ToLower(r)
	}
	found := slices.Concat(dictionaryMatches(typed, folded), sequenceMatches(folded), keyboardMatches(folded),
		dateMatches(folded), personalMatches(folded, about))
	if depth == 0 {
		found = append(found, repeatMatches(typed, about)...)
	}
	return fewestGuesses(folded, found)
}

// fewestGuesses covers the text with matches and single characters in the way that takes the fewest guesses. A guesser
// does not know the order of the parts, so each part after the first counts more.
func fewestGuesses(text []rune, found []match) (float64, string) {
	const maxParts = 16 // parts; more of them are no easier
	n := len(text)
	ending := make([][]match, n+1)
	for _, p := range found {
		ending[p.to] = append(ending[p.to], p)
	}
	single := make([]float64, n+1) // bits of the first i characters one by one
	for i, r := range text {
		single[i+1] = single[i] + characterBits(r)
	}
	for to := 1; to <= n; to++ {
		for from := range to {
			ending[to] = append(ending[to], match{from, to, single[to] - single[from], adviceShort})
		}
	}
	var best [maxParts + 1][]float64
	var via [maxParts + 1][]match
	for parts := range best {
		best[parts], via[parts] = make([]float64, n+1), make([]match, n+1)
		for i := range best[parts] {
			best[parts][i] = math.Inf(1)
		}
	}
	best[0][0] = 0
	for to := 1; to <= n; to++ {
		for _, p := range ending[to] {
			for parts := 1; parts <= maxParts; parts++ {
				if bits := best[parts-1][p.from] + p.bits; bits < best[parts][to] {
					best[parts][to], via[parts][to] = bits, p
				}
			}
		}
	}
	fewest, partCount, order := math.Inf(1), 0, 0.0
	for parts := 1; parts <= maxParts; parts++ {
		order += math.Log2(float64(parts))
		if bits := best[parts][n] + order; bits < fewest {
			fewest, partCount = bits, parts
		}
	}
	if n == 0 {
		return 0, adviceShort
	}
	// The part that covers most of the text gives the advice.
	advice, covered := adviceShort, 0
	for at := n; partCount > 0; partCount-- {
		p := via[partCount][at]
		if p.to-p.from > covered {
			advice, covered = p.advice, p.to-p.from
		}
		at = p.from
	}
	return fewest, advice
}

func characterBits(r rune) float64 {
	switch {
	case r < utf8.RuneSelf:
		return math.Log2(10)
	case r < 0x2000:
		return math.Log2(30)
	}
	return math.Log2(1000)
}

// dictionaryMatches finds words of the list: as typed, backwards, and with digits and signs for letters.
func dictionaryMatches(typed, folded []rune) []match {
	n := len(folded)
	plain := make([]byte, n)
	for i, r := range folded {
		plain[i] = 0
		if r < utf8.RuneSelf {
			plain[i] = byte(r) //nolint:gosec // it is ASCII
		}
	}
	variants := []variant{{text: plain}}
	for _, v := range unleet(string(plain)) {
		if v != string(plain) {
			variants = append(variants, variant{text: []byte(v)})
		}
	}
	var out []match
	for _, v := range variants {
		backwards := slices.Clone(v.text)
		slices.Reverse(backwards)
		for _, v := range []variant{v, {text: backwards, backwards: true}} {
			text := string(v.text)
			for from := range n {
				for to := from + 3; to <= n; to++ {
					e := lookup(text[from:to])
					if e.rank > 0 {
						p := v.match(from, to)
						p.bits = math.Log2(e.rank) + p.bits + substitutionBits(plain[p.from:p.to], v.text[from:to], v.backwards) +
							uppercaseBits(typed[p.from:p.to])
						out = append(out, p)
					}
					if !e.prefix {
						break
					}
				}
			}
		}
	}
	return out
}

// variant is one reading of the text in which words are looked up.
type variant struct {
	text      []byte
	backwards bool
}

// match returns the part of the typed text that a word of the variant stands for.
func (v variant) match(from, to int) match {
	if v.backwards {
		return match{from: len(v.text) - to, to: len(v.text) - from, bits: 1, advice: adviceWord}
	}
	return match{from: from, to: to, advice: adviceWord}
}

// substitutionBits returns one bit for each character that stands for a letter.
func substitutionBits(typed, read []byte, backwards bool) float64 {
	bits := 0.0
	for i := range typed {
		letter := read[i]
		if backwards {
			letter = read[len(read)-1-i]
		}
		if typed[i] != letter {
			bits++
		}
	}
	return bits
}

// uppercaseBits returns the bits that capitals add: one where people usually put them.
func uppercaseBits(word []rune) float64 {
	upper := 0
	for _, r := range word {
		if unicode.IsUpper(r) {
			upper++
		}
	}
	switch {
	case upper == 0:
		return 0
	case upper == len(word), upper == 1 && (unicode.IsUpper(word[0]) || unicode.IsUpper(word[len(word)-1])):
		return 1
	}
	return float64(min(upper, len(word)-upper) + 1)
}

// sequenceMatches finds sequences such as abcdef and 98765.
func sequenceMatches(folded []rune) []match {
	var out []match
	for _, step := range []rune{1, -1} {
		for from := 0; from < len(folded); {
			to := from + 1
			for to < len(folded) && folded[to] == folded[to-1]+step {
				to++
			}
			if to-from >= 3 {
				out = append(out, match{from, to, math.Log2(26 * float64(to-from)), adviceSequence})
			}
			from = to
		}
	}
	return out
}

// keyboard has the rows and columns of keys, which count in both directions.
const keyboard = "`1234567890-= qwertyuiop[] asdfghjkl;' zxcvbnm,./ qwertzuiop yxcvbnm azertyuiop qsdfghjklm wxcvbn " +
	"1qaz2wsx3edc4rfv5tgb6yhn7ujm qazwsxedcrfvtgbyhnujm !qaz@wsx#edc$rfv q1w2e3r4t5y6u7i8o9p0 1q2w3e4r5t6y7u8i9o0p " +
	"!@#$%^&*()_+ 147258369 789456123"

func keyboardMatches(folded []rune) []match {
	var out []match
	for from := 0; from+4 <= len(folded); from++ {
		to := from + 1
		for to < len(folded) && folded[to] != ' ' && adjacentKeys(folded[from:to+1]) {
			to++
		}
		if to-from >= 4 {
			out = append(out, match{from, to, math.Log2(40 * float64(to-from)), adviceKeyboard})
		}
	}
	return out
}

func adjacentKeys(text []rune) bool {
	backwards := slices.Clone(text)
	slices.Reverse(backwards)
	return strings.Contains(keyboard, string(text)) || strings.Contains(keyboard, string(backwards))
}

// dateMatches finds years from 1900 to 2099, and six or eight digits that can be a date.
func dateMatches(folded []rune) []match {
	var out []match
	for from := range folded {
		digits := 0
		for from+digits < len(folded) && digits < 8 && folded[from+digits] >= '0' && folded[from+digits] <= '9' {
			digits++
		}
		if digits < 4 {
			continue
		}
		if century := string(folded[from : from+2]); century == "19" || century == "20" {
			out = append(out, match{from, from + 4, math.Log2(120), adviceDate})
		}
		for _, length := range []int{6, 8} {
			if digits >= length && (folded[from] <= '3' || folded[from+length-2] <= '3') {
				out = append(out, match{from, from + length, math.Log2(365 * 120), adviceDate})
			}
		}
	}
	return out
}

// personalMatches finds the texts about the person.
func personalMatches(folded []rune, about []string) []match {
	var out []match
	text := string(folded)
	for _, word := range about {
		for start := 0; ; {
			i := strings.Index(text[start:], word)
			if i < 0 {
				break
			}
			from := utf8.RuneCountInString(text[:start+i])
			out = append(out, match{from, from + utf8.RuneCountInString(word), 1, adviceWord})
			start += i + len(word)
		}
	}
	return out
}

// repeatMatches finds repetitions: a guesser needs what is repeated, and how often.
func repeatMatches(typed []rune, about []string) []match {
	var out []match
	for from := 0; from < len(typed); {
		longest := from + 1
		for unit := 1; from+2*unit <= len(typed); unit++ {
			to := from + unit
			for to < len(typed) && typed[to] == typed[to-unit] {
				to++
			}
			if times := float64(to-from) / float64(unit); times >= 2 && to-from >= 3 && to > longest {
				bits, _ := estimateGuesses(string(typed[from:from+unit]), about, 1)
				out, longest = append(out, match{from, to, bits + math.Log2(times), adviceRepeat}), to
			}
		}
		from = max(from+1, longest-1)
	}
	return out
}

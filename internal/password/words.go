package password

import (
	_ "embed" // words.bin
	"math"
	"strings"
)

// words are the most used passwords, words and names, in order. They stay as they are in the binary: nothing is
// unpacked at start, and a lookup reads the pages it needs. generate/main.go says what is where.
//
//go:embed words.bin
var words string

const (
	blockSize     = 16
	maxWordLength = 31
	commonFlag    = 0x80
)

func wordsUint32(i int) int {
	return int(words[i])<<24 | int(words[i+1])<<16 | int(words[i+2])<<8 | int(words[i+3])
}

// entry is what the list says of a word. rank is 1 for the most used word and 0 for a word that is not there; common
// says that it is on the list of passwords, prefix that longer words may begin with it.
type entry struct {
	rank           float64
	common, prefix bool
}

// lookup finds a word in lower case. It allocates nothing: a long password has it look up thousands of pieces.
func lookup(word string) entry {
	if len(word) < 3 || len(word) > maxWordLength {
		return entry{}
	}
	blocks := wordsUint32(0)
	data := words[4+4*blocks:]
	low, high := 0, blocks // the block begins at or before word
	for high-low > 1 {
		middle := (low + high) / 2
		at := wordsUint32(4 + 4*middle)
		if first := data[at+2 : at+2+int(data[at+1])]; first <= word {
			low = middle
		} else {
			high = middle
		}
	}
	var buffer [maxWordLength]byte
	at := wordsUint32(4 + 4*low)
	for range blockSize {
		if at >= len(data) {
			return entry{}
		}
		shared, rest := int(data[at]), int(data[at+1])
		copy(buffer[shared:], data[at+2:at+2+rest])
		at += 2 + rest
		found := buffer[:shared+rest]
		switch {
		case string(found) == word:
			return entry{rank: math.Exp2(float64(data[at]&^commonFlag) / 8), common: data[at]&commonFlag != 0, prefix: true}
		case string(found) > word:
			return entry{prefix: len(found) >= len(word) && string(found[:len(word)]) == word}
		}
		at++
	}
	return entry{prefix: true} // the next block tells
}

// isCommon reports whether a password is on the list, as it is or with digits and signs for letters.
func isCommon(folded string) bool {
	for _, variant := range append([]string{folded}, unleet(folded)...) {
		if lookup(variant).common {
			return true
		}
	}
	return false
}

// leetI and leetL replace digits and signs by the letters that they stand for; 1 and ! can stand for two.
var (
	leetI = strings.NewReplacer("4", "a", "@", "a", "3", "e", "0", "o", "$", "s", "5", "s", "7", "t", "+", "t", "8", "b",
		"9", "g", "1", "i", "!", "i", "|", "i")
	leetL = strings.NewReplacer("4", "a", "@", "a", "3", "e", "0", "o", "$", "s", "5", "s", "7", "t", "+", "t", "8", "b",
		"9", "g", "1", "l", "!", "l", "|", "l")
)

// unleet returns both readings of a text in which digits and signs stand for letters.
func unleet(s string) []string { return []string{leetI.Replace(s), leetL.Replace(s)} }

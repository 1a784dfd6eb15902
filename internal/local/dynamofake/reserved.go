package dynamofake

import (
	_ "embed" // for the list
	"strings"
	"sync"
)

// reservedWords are the words that stand for no attribute in an expression, as the Developer Guide of DynamoDB lists
// them.
//
//go:embed reserved.txt
var reservedWords string

var reserved = sync.OnceValue(func() map[string]bool {
	words := map[string]bool{}
	for word := range strings.FieldsSeq(reservedWords) {
		words[word] = true
	}
	return words
})

func isReserved(name string) bool { return reserved()[strings.ToUpper(name)] }

package password

// IsHash reports whether a text is a hash that Verify works with, without the work.
func IsHash(hash string) bool {
	_, err := parse(hash)
	return err == nil
}

// IsCommon reports whether a word is on the list of passwords.
func IsCommon(word string) bool { return lookup(word).common }

// CountLookup returns how many of the words are on the list, without looking for their other spellings.
func CountLookup(words ...string) (n int) {
	for _, word := range words {
		if lookup(word).rank > 0 {
			n++
		}
	}
	return n
}

// CountWords returns how many words there are, and how many of eight characters or more are on the list of passwords.
func CountWords() (total, eight int) {
	data := words[4+4*wordsUint32(0):]
	for at := 0; at < len(data); total++ {
		if length := int(data[at]) + int(data[at+1]); length >= 8 && data[at+2+int(data[at+1])]&commonFlag != 0 {
			eight++
		}
		at += 3 + int(data[at+1])
	}
	return total, eight
}

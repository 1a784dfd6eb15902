package httpapi_test

import (
	"strings"
	"testing"

	"useraccounts/internal/httpapi"
)

// V98: a page ends before its entries take a megabyte. One entry is always on it, so that the next page goes on.
func TestAPageIsBoundedByBytes(t *testing.T) {
	for size, want := range map[int]int{10: 1000, 1_000: 897, 100_000: 8, 2_000_000: 1} {
		var page httpapi.PageSize
		n := 0
		for n < 1000 {
			fits, err := page.Add(strings.Repeat("x", size))
			if err != nil {
				t.Fatal(err)
			}
			if !fits {
				break
			}
			n++
		}
		if n != want {
			t.Errorf("%d entries of %d bytes, want %d", n, size, want)
		}
	}
}

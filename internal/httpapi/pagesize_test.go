package httpapi_test

import (
	"errors"
	"fmt"
	"slices"
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

// V98: what does not fit is loaded again as a shorter page, whose cursor follows its last entry; other pages are loaded
// once.
func TestAPageThatIsTooWideIsLoadedShorter(t *testing.T) {
	for size, want := range map[int][]int{10: {50}, 100_000: {50, 8}, 2_000_000: {50, 1}} {
		var loaded []int
		answer, err := httpapi.FitPage(50, func(limit int) (httpapi.Page[string], error) {
			loaded = append(loaded, limit)
			page := httpapi.Page[string]{Next: fmt.Sprint(limit)}
			for range limit {
				page.Items = append(page.Items, strings.Repeat("x", size))
			}
			return page, nil
		})
		if err != nil || answer.Status != 200 || !slices.Equal(loaded, want) {
			t.Errorf("entries of %d bytes: loaded %v, want %v, %v", size, loaded, want, err)
		}
	}
	if _, err := httpapi.FitPage(1, func(int) (httpapi.Page[string], error) {
		return httpapi.Page[string]{}, errors.New("down")
	}); err == nil {
		t.Error("no error")
	}
}

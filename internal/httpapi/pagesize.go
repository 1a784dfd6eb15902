package httpapi

import "github.com/go-json-experiment/json"

// maxPageBytes is how much the entries of a page may take. With its cursor an answer stays below 1 MB (V98).
const maxPageBytes = 900_000

// PageSize measures a page while it is filled. The zero value is an empty page.
type PageSize struct{ bytes, entries int }

// Add reports whether one more entry fits on the page, and counts it. The first one always does.
func (p *PageSize) Add(entry any) (bool, error) {
	text, err := json.Marshal(entry)
	if err != nil {
		return false, err
	}
	if p.entries > 0 && p.bytes+len(text) > maxPageBytes {
		return false, nil
	}
	p.bytes += len(text) + len(",")
	p.entries++
	return true, nil
}

// FitPage answers with a page of up to limit entries, as load makes it. Where its entries take too much, as many of
// them are loaded again as fit, so that the cursor follows the last one that is answered.
func FitPage[T any](limit int, load func(limit int) (Page[T], error)) (Response, error) {
	for {
		page, err := load(limit)
		if err != nil {
			return Response{}, err
		}
		var size PageSize
		n := 0
		for n < len(page.Items) {
			fits, err := size.Add(page.Items[n])
			if err != nil {
				return Response{}, err
			}
			if !fits {
				break
			}
			n++
		}
		if n == len(page.Items) {
			return OK(page), nil
		}
		limit = n
	}
}

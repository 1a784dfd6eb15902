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

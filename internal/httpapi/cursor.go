package httpapi

import (
	"encoding/base64"
	"maps"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"useraccounts/internal/fault"
)

const (
	// maxCursor bounds a cursor before it is opened.
	maxCursor = 2048
	// cursorLifetime is how long a cursor is valid.
	cursorLifetime = 24 * time.Hour
)

// cursor is the sealed content.
type cursor[T any] struct {
	Expires  int64 `json:"e"` // Unix seconds
	Position T     `json:"p"`
}

// SealCursor returns the cursor of a position in the list that r reads, for Page.Next. It is encrypted and valid for
// the same route, path, caller and query only (V66, C45); limit may change from page to page. The position must be
// small.
func SealCursor[T any](r *Request, position T) (string, error) {
	text, err := json.Marshal(cursor[T]{Expires: r.now.Add(cursorLifetime).Unix(), Position: position})
	if err != nil {
		return "", err
	}
	aead, err := sealer(r.Scope.Env.CursorKey, "cursor", r.Scope.Caller.AccountID)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(seal(aead, text, r.cursorContext())), nil
}

// OpenCursor returns the position of the request's cursor, and whether it has one. A cursor that was not made for this
// route, path, caller and query within the last day is a fault that says to start again.
func OpenCursor[T any](r *Request) (position T, given bool, err error) {
	if !r.HasQuery("cursor") {
		return position, false, nil
	}
	aead, err := sealer(r.Scope.Env.CursorKey, "cursor", r.Scope.Caller.AccountID)
	if err != nil {
		return position, false, err
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(r.Query("cursor"))
	if err != nil || strings.ContainsAny(r.Query("cursor"), "\r\n") { // the decoder skips line breaks
		return position, false, badCursor()
	}
	text, err := open(aead, sealed, r.cursorContext())
	if err != nil {
		return position, false, badCursor()
	}
	var c cursor[T]
	if err := json.Unmarshal(text, &c); err != nil { // sealed by an older release with another type of position
		return position, false, badCursor()
	}
	if !r.now.Before(time.Unix(c.Expires, 0)) {
		return position, false, badCursor()
	}
	return c.Position, true, nil
}

// cursorContext is what a cursor is bound to besides the caller: the route, its path parameters, and the query without
// paging.
func (r *Request) cursorContext() string {
	filters, path := url.Values(maps.Clone(r.query)), url.Values{}
	filters.Del("cursor")
	filters.Del("limit")
	for name, value := range r.event.PathParameters {
		path.Set(name, value)
	}
	return r.route.Key + "?" + filters.Encode() + "?" + path.Encode() // Encode sorts by name and escapes question marks
}

func badCursor() error {
	return fault.New(fault.Malformed, "cursor",
		"This cursor is not valid here: it is damaged, older than a day, or was made for another caller, filter or order. "+
			"Start again from the first page.")
}

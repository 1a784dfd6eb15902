package account

import (
	"container/heap"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

// Order is how a list is sorted; the zero value is the order of usernames. Equals are in the order of usernames.
type Order struct {
	field      *field.Def[Account]
	descending bool
}

// descendingMark stands before a field's name in the text of an order.
const descendingMark = "-"

// DefaultOrder is the text of the order of usernames.
const DefaultOrder = "username"

// Orders returns the texts that ParseOrder takes: the name of every field, and with - before it for descending.
func Orders() []string {
	var out []string
	for _, d := range Fields() {
		out = append(out, d.Name, descendingMark+d.Name)
	}
	return out
}

// ParseOrder returns the order that a text names.
func ParseOrder(text string) (Order, *fault.Field) {
	name, descending := strings.CutPrefix(text, descendingMark)
	d := Fields().Find(name)
	if d == nil {
		return Order{},
			&fault.Field{Field: "sort", Code: "choice",
				Message: "This must be the name of a field, with - before it for descending."}
	}
	if d.Name == DefaultOrder && !descending {
		d = nil
	}
	return Order{field: d, descending: descending}, nil
}

// isDefault reports whether the order is that in which accounts are stored.
func (o Order) isDefault() bool { return o.field == nil }

func (o Order) fields() []string {
	if o.field == nil {
		return nil
	}
	return []string{o.field.Name}
}

// compare orders marks: by what they are sorted by, then by username.
func (o Order) compare(a, b Position) int {
	by := strings.Compare(a.SortKey, b.SortKey)
	if o.descending {
		by = -by
	}
	if by == 0 {
		by = strings.Compare(a.Key, b.Key)
	}
	return by
}

// maxSortKey is how much of a text counts for its order, in bytes: it has to go into a cursor.
const maxSortKey = 256

// sortKey returns a text by which the account has its place: blank before all else, no before yes, texts and codes
// folded.
func (o Order) sortKey(a *Account) string {
	if o.field == nil {
		return ""
	}
	switch at := o.field.At(a).(type) {
	case *string:
		return truncateSortKey(Fold(*at))
	case *[]string:
		return truncateSortKey(Fold(strings.Join(*at, " ")))
	case *field.Date:
		return string(*at)
	case *time.Time:
		if at.IsZero() {
			return ""
		}
		return field.FormatInstant(*at)
	case *bool:
		if *at {
			return "1"
		}
		return "0"
	case *int64:
		return fmt.Sprintf("%020d", uint64(*at)^1<<63) //nolint:gosec // the sign bit turned, so that negative ones come first
	}
	return ""
}

// truncateSortKey cuts a text to maxSortKey bytes, between characters.
func truncateSortKey(text string) string {
	if len(text) <= maxSortKey {
		return text
	}
	end := maxSortKey
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

// positionHeap keeps the first few of many marks: the last of those kept is on top of the heap.
type positionHeap struct {
	order     Order
	limit     int
	positions []Position
}

func newHeap(o Order, most int) *positionHeap { return &positionHeap{order: o, limit: most} }

// Len implements heap.Interface.
func (l *positionHeap) Len() int { return len(l.positions) }

// Less implements heap.Interface.
func (l *positionHeap) Less(i, j int) bool {
	return l.order.compare(l.positions[i], l.positions[j]) > 0
}

// Swap implements heap.Interface.
func (l *positionHeap) Swap(i, j int) {
	l.positions[i], l.positions[j] = l.positions[j], l.positions[i]
}

// Push implements heap.Interface.
func (l *positionHeap) Push(x any) {
	if mark, ok := x.(Position); ok {
		l.positions = append(l.positions, mark)
	}
}

// Pop implements heap.Interface.
func (l *positionHeap) Pop() any {
	last := l.positions[len(l.positions)-1]
	l.positions = l.positions[:len(l.positions)-1]
	return last
}

// add keeps a mark if it is among the first so far.
func (l *positionHeap) add(m Position) {
	if len(l.positions) < l.limit {
		heap.Push(l, m)
		return
	}
	if l.order.compare(m, l.positions[0]) < 0 {
		l.positions[0] = m
		heap.Fix(l, 0)
	}
}

// sorted returns the marks kept, each once: an account that was renamed meanwhile may have been met twice.
func (l *positionHeap) sorted() []Position {
	slices.SortFunc(l.positions, l.order.compare)
	return slices.Compact(l.positions)
}

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

// Orders returns the texts that ReadOrder takes: the name of every field, and with - before it for descending.
func Orders() []string {
	var out []string
	for _, d := range Fields() {
		out = append(out, d.Name, descendingMark+d.Name)
	}
	return out
}

// ReadOrder returns the order that a text names.
func ReadOrder(text string) (Order, *fault.Field) {
	name, descending := strings.CutPrefix(text, descendingMark)
	d := Fields().Find(name)
	if d == nil {
		return Order{}, &fault.Field{Field: "sort", Code: "choice", Message: "This must be the name of a field, with - before it for descending."}
	}
	if d.Name == DefaultOrder && !descending {
		d = nil
	}
	return Order{field: d, descending: descending}, nil
}

// isDirectory reports whether the order is that in which accounts are stored.
func (o Order) isDirectory() bool { return o.field == nil }

func (o Order) fields() []string {
	if o.field == nil {
		return nil
	}
	return []string{o.field.Name}
}

// compare orders marks: by what they are sorted by, then by username.
func (o Order) compare(a, b Mark) int {
	by := strings.Compare(a.Sorted, b.Sorted)
	if o.descending {
		by = -by
	}
	if by == 0 {
		by = strings.Compare(a.Key, b.Key)
	}
	return by
}

// maxSorted is how much of a text counts for its order, in bytes: it has to go into a cursor.
const maxSorted = 256

// sorted returns a text by which the account has its place: blank before all else, no before yes, texts and codes folded.
func (o Order) sorted(a *Account) string {
	if o.field == nil {
		return ""
	}
	switch at := o.field.At(a).(type) {
	case *string:
		return clipped(Fold(*at))
	case *[]string:
		return clipped(Fold(strings.Join(*at, " ")))
	case *field.Date:
		return string(*at)
	case *time.Time:
		if at.IsZero() {
			return ""
		}
		return field.Stamp(*at)
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

// clipped cuts a text to maxSorted bytes, between characters.
func clipped(text string) string {
	if len(text) <= maxSorted {
		return text
	}
	end := maxSorted
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

// leading keeps the first few of many marks: the last of those kept is on top of the heap.
type leading struct {
	order Order
	most  int
	marks []Mark
}

func newHeap(o Order, most int) *leading { return &leading{order: o, most: most} }

// Len implements heap.Interface.
func (l *leading) Len() int { return len(l.marks) }

// Less implements heap.Interface.
func (l *leading) Less(i, j int) bool { return l.order.compare(l.marks[i], l.marks[j]) > 0 }

// Swap implements heap.Interface.
func (l *leading) Swap(i, j int) { l.marks[i], l.marks[j] = l.marks[j], l.marks[i] }

// Push implements heap.Interface.
func (l *leading) Push(x any) {
	if mark, ok := x.(Mark); ok {
		l.marks = append(l.marks, mark)
	}
}

// Pop implements heap.Interface.
func (l *leading) Pop() any {
	last := l.marks[len(l.marks)-1]
	l.marks = l.marks[:len(l.marks)-1]
	return last
}

// add keeps a mark if it is among the first so far.
func (l *leading) add(m Mark) {
	if len(l.marks) < l.most {
		heap.Push(l, m)
		return
	}
	if l.order.compare(m, l.marks[0]) < 0 {
		l.marks[0] = m
		heap.Fix(l, 0)
	}
}

// inOrder returns the marks kept, each once: an account that was renamed meanwhile may have been met twice.
func (l *leading) inOrder() []Mark {
	slices.SortFunc(l.marks, l.order.compare)
	return slices.Compact(l.marks)
}

package directory

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"useraccounts/internal/account"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

// Order is how a list is sorted; the zero value is the order of usernames. Equals are in the order of usernames.
type Order struct {
	field      *field.Def[account.Account]
	descending bool
}

// descendingPrefix stands before a field's name in the text of an order.
const descendingPrefix = "-"

// DefaultOrder is the text of the order of usernames.
const DefaultOrder = "username"

// Orders returns the texts that ParseOrder takes: the name of every field, and with - before it for descending.
func Orders() []string {
	var out []string
	for _, d := range account.Fields() {
		out = append(out, d.Name, descendingPrefix+d.Name)
	}
	return out
}

// ParseOrder returns the order that a text names.
func ParseOrder(text string) (Order, *fault.Field) {
	name, descending := strings.CutPrefix(text, descendingPrefix)
	d := account.Fields().Find(name)
	if d == nil {
		return Order{}, &fault.Field{Field: "sort", Code: "choice",
			Message: "This must be the name of a field, with - before it for descending order."}
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

// compare orders positions: by their sort keys, then by username.
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

// maxSortKey is how much of a text counts for its order, in bytes: a cursor has to hold it.
const maxSortKey = 256

// sortKey returns the text that the account is sorted by: blank before all else, no before yes, texts and codes
// folded.
func (o Order) sortKey(a *account.Account) string {
	if o.field == nil {
		return ""
	}
	switch at := o.field.At(a).(type) {
	case *string:
		if o.field.Kind == field.Choice {
			place := slices.IndexFunc(o.field.Choices, func(c field.Option) bool { return c.Value == *at })
			return fmt.Sprintf("%02d", place)
		}
		return truncateSortKey(account.Fold(*at))
	case *[]string:
		return truncateSortKey(account.Fold(strings.Join(*at, " ")))
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
		return fmt.Sprintf("%020d",
			uint64(*at)^1<<63) //nolint:gosec // the sign bit is flipped, so that negative numbers come first
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

package dynamo

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"useraccounts/internal/dynamo/table"
)

// However the two ends of a scan take turns, and whatever was read before the other end moved on, every row is taken
// once.
func TestTheEndsOfAScanMeet(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	for round := range 3000 {
		rows := make([]string, r.IntN(40))
		for i := range rows {
			rows[i] = fmt.Sprintf("%03d", i)
		}
		limit := 1 + r.IntN(6)
		var g unreadRange
		if len(rows) > 0 && r.IntN(3) == 0 { // a scan that starts within
			g.low = rows[r.IntN(len(rows))]
		}
		want := rows[slices.IndexFunc(append(rows, "~"), func(s string) bool { return s > g.low }):]
		var taken []string
		type reading struct {
			items     []table.Item
			end       string
			backwards bool
		}
		var under [2]*reading // each end has one page under way
		for g.closed = len(rows) == 0; !g.closed || under[0] != nil || under[1] != nil; {
			end := r.IntN(2)
			if p := under[end]; p != nil {
				for _, it := range g.advance(p.items, p.backwards, p.end) {
					taken = append(taken, table.String(it, "SK"))
				}
				under[end] = nil
				continue
			}
			if low, high, closed := g.bounds(); !closed {
				if high != "" && low >= high { // the store refuses to start beyond the end
					t.Fatalf("seed %d, round %d: %s is not below %s", seed, round, low, high)
				}
				p := &reading{backwards: end == 1}
				p.items, p.end = pageOf(rows, low, high, p.backwards, limit)
				under[end] = p
			}
		}
		if slices.Sort(taken); !slices.Equal(taken, want) {
			t.Fatalf("seed %d, round %d: took %v of %v", seed, round, taken, want)
		}
	}
}

// pageOf is what the store gives of the rows between two bounds.
func pageOf(rows []string, low, high string, backwards bool, limit int) (items []table.Item, end string) {
	var between []string
	for _, row := range rows {
		if row > low && (high == "" || row < high) {
			between = append(between, row)
		}
	}
	if backwards {
		slices.Reverse(between)
	}
	more := len(between) > limit
	for _, row := range between[:min(limit, len(between))] {
		items = append(items, table.Item{"SK": table.S(row)})
	}
	if more {
		end = table.String(items[len(items)-1], "SK")
	}
	return items, end
}

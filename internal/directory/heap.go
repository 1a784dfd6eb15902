package directory

import (
	"container/heap"
	"slices"
)

// positionHeap keeps the first few of many positions: the last of those kept is on top.
type positionHeap struct {
	order     Order
	limit     int
	positions []Position
}

func newHeap(o Order, limit int) *positionHeap { return &positionHeap{order: o, limit: limit} }

// Len implements heap.Interface.
func (h *positionHeap) Len() int { return len(h.positions) }

// Less implements heap.Interface.
func (h *positionHeap) Less(i, j int) bool {
	return h.order.compare(h.positions[i], h.positions[j]) > 0
}

// Swap implements heap.Interface.
func (h *positionHeap) Swap(i, j int) {
	h.positions[i], h.positions[j] = h.positions[j], h.positions[i]
}

// Push implements heap.Interface.
func (h *positionHeap) Push(x any) {
	if p, ok := x.(Position); ok {
		h.positions = append(h.positions, p)
	}
}

// Pop implements heap.Interface.
func (h *positionHeap) Pop() any {
	last := h.positions[len(h.positions)-1]
	h.positions = h.positions[:len(h.positions)-1]
	return last
}

// add keeps a position if it is among the first so far.
func (h *positionHeap) add(p Position) {
	if len(h.positions) < h.limit {
		heap.Push(h, p)
		return
	}
	if h.order.compare(p, h.positions[0]) < 0 {
		h.positions[0] = p
		heap.Fix(h, 0)
	}
}

// sorted returns the positions kept, each once: a scan may meet an account twice that is renamed meanwhile.
func (h *positionHeap) sorted() []Position {
	slices.SortFunc(h.positions, h.order.compare)
	return slices.Compact(h.positions)
}

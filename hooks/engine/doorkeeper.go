package engine

import (
	"hash/maphash"
	"sync/atomic"
)

// remembered is how many keys a doorkeeper has in mind, about.
const remembered = 1 << 13

// doorkeeper lets in what was asked for before: an answer that nobody asks for
// again is not worth a copy, and not the place of one that is. It forgets a key
// when another falls on its place.
type doorkeeper struct {
	seed maphash.Seed
	seen [remembered]atomic.Uint32
}

func newDoorkeeper() *doorkeeper { return &doorkeeper{seed: maphash.MakeSeed()} }

// again reports whether the key was asked for lately.
func (d *doorkeeper) again(key string) bool {
	h := maphash.String(d.seed, key)
	tag := uint32(h>>32) | 1 // zero is nobody
	return d.seen[h%remembered].Swap(tag) == tag
}

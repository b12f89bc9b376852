package spam

import (
	"hash/fnv"
	"math/bits"
	"slices"
	"strings"
	"sync"
	"time"

	"bungalow/hooks/kit/limit"
)

const (
	// keepRecent is how many texts are remembered for comparison, in about 1 MB.
	keepRecent = 4096
	// recentFor is how long a text counts as recent.
	recentFor = 6 * time.Hour
	// nearest is by how many of 64 bits two texts differ at most that are worth
	// a closer look; two that have nothing in common differ by about 32.
	nearest = 16
	// keepWords is how many different words of a text are compared then, and
	// alike how many of a hundred the two must share.
	keepWords = 48
	alike     = 70
	// shortest is the fewest words at which likeness says something.
	shortest = 8
)

// seenText is a text as it is compared.
type seenText struct {
	at      time.Time
	exact   uint64
	like    uint64 // simhash, 0 for a short text
	words   []uint32
	sender  uint64
	purpose Purpose
}

// recent is a ring of the latest texts, in memory alone.
type recent struct {
	mu   sync.Mutex
	ring []seenText
	next int
}

// check compares the text with the latest ones and notes it.
func (r *recent) check(v *Verdict, s Submission, now time.Time) {
	ws := words(s.Text)
	if len(ws) == 0 {
		return
	}
	t := seenText{at: now, exact: hashOf(ws...), sender: senderOf(s), purpose: s.Purpose}
	if len(ws) >= shortest {
		t.like, t.words = simhash(ws), wordSet(ws)
	}
	same, near, strangers := r.count(t)
	switch {
	case len(ws) < 4: // "Thanks!" is said by many
	case same > 0 && strangers > 1:
		v.Add(LayerDuplicate, FileAt, "The same text came from %d other senders.", strangers)
	case same > 0:
		v.Add(LayerDuplicate, HoldAt, "The same text was sent before.")
	case near > 1 && strangers > 1:
		v.Add(LayerDuplicate, 80, "Nearly the same text came from %d other senders.", strangers)
	case near > 0:
		v.Add(LayerDuplicate, HoldAt, "Nearly the same text was sent before.")
	}
}

// senderOf tells one sender from another: by the address of the network, or where
// that is not known, as of mail that lay in a mailbox, by that of mail.
func senderOf(s Submission) uint64 {
	if s.IP == "" {
		return hashOf("mail", strings.ToLower(s.Email))
	}
	return hashOf(limit.AddressKey(s.IP))
}

// count says how many of the latest texts are the same and nearly the same, and
// from how many other senders, and then notes t.
func (r *recent) count(t seenText) (same, near, strangers int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var senders []uint64
	for i := range r.ring {
		o := &r.ring[i]
		isSame := o.exact == t.exact
		isNear := !isSame && t.like != 0 && o.like != 0 && bits.OnesCount64(o.like^t.like) <= nearest
		if !isSame && !isNear || o.purpose != t.purpose || t.at.Sub(o.at) > recentFor {
			continue
		}
		isOther := o.sender != t.sender && len(senders) < 64 && !has(senders, o.sender)
		if isNear && (near > 1 && !isOther || share(o.words, t.words) < alike) {
			continue // a third one from the same sender says no more than two
		}
		if isSame {
			same++
		} else {
			near++
		}
		if isOther {
			senders = append(senders, o.sender)
		}
	}
	if len(r.ring) < keepRecent {
		r.ring = append(r.ring, t)
	} else {
		r.ring[r.next] = t
		r.next = (r.next + 1) % keepRecent
	}
	return same, near, len(senders)
}

func has(list []uint64, x uint64) bool {
	for _, y := range list {
		if x == y {
			return true
		}
	}
	return false
}

// wordSet is the set of the smallest hashes of the words, sorted.
func wordSet(ws []string) []uint32 {
	out := make([]uint32, len(ws))
	for i, w := range ws {
		h := hashOf(w)
		out[i] = uint32(h ^ h>>32)
	}
	slices.Sort(out)
	out = slices.Compact(out)
	return slices.Clone(out[:min(len(out), keepWords)])
}

// share is how many of a hundred words two sorted sets have in common.
func share(a, b []uint32) int {
	common, all := 0, 0
	for i, j := 0, 0; i < len(a) && j < len(b); all++ {
		switch {
		case a[i] == b[j]:
			common++
			i++
			j++
		case a[i] < b[j]:
			i++
		default:
			j++
		}
	}
	// What is left of the longer set counts only where the sets were not cut.
	if len(a) < keepWords && len(b) < keepWords {
		all = len(a) + len(b) - common
	}
	return 100 * common / max(all, 1)
}

func hashOf(parts ...string) uint64 {
	h := fnv.New64a()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return h.Sum64()
}

// simhash gives texts with the same words and pairs of words values that
// differ in few bits (Charikar, 2002).
func simhash(ws []string) uint64 {
	var sums [64]int
	count := func(h uint64) {
		h ^= h >> 33 // FNV's low bits know little of the last byte
		h *= 0xff51afd7ed558ccd
		h ^= h >> 33
		for i := range sums {
			if h>>i&1 == 1 {
				sums[i]++
			} else {
				sums[i]--
			}
		}
	}
	for i, w := range ws {
		count(hashOf(w))
		if i > 0 {
			count(hashOf(ws[i-1], w))
		}
	}
	var out uint64
	for i, n := range sums {
		if n > 0 {
			out |= 1 << i
		}
	}
	return max(out, 1)
}

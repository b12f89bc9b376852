package cache

// Stamp remembers when something was read from the database, and what it was
// read from, for memory that is kept elsewhere than in a Cache.
type Stamp struct {
	cache *Cache
	began uint64
	slots []uint32
}

// Stamp is taken before the read.
func (c *Cache) Stamp() Stamp { return Stamp{cache: c, began: c.counter.Load()} }

// Uses says what was read, as Deps.Uses does: "posts", or "posts/ID" for one
// record. It is said before the stamp is shared.
func (s *Stamp) Uses(keys ...string) {
	for _, k := range keys {
		s.slots = append(s.slots, s.cache.slot(k))
	}
}

// Fresh reports whether nothing that was read was bumped since the stamp was
// taken.
func (s *Stamp) Fresh() bool {
	if s.cache == nil || s.cache.floor.Load() > s.began {
		return false
	}
	if s.cache.counter.Load() == s.began {
		return true
	}
	for _, slot := range s.slots {
		if s.cache.bumped[slot].Load() > s.began {
			return false
		}
	}
	return true
}

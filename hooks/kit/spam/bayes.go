package spam

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/pocketbase/dbx"
)

// The learned filter counts in how many good and spam texts each word was, and
// combines the words of a new text by Fisher's method, as SpamBayes does
// (Robinson, "A statistical approach to the spam problem", 2003).
const (
	// leastLearned is of how many texts of each kind it must know.
	leastLearned = 10
	// strength is how many texts a word's even first guess counts as.
	strength = 0.45
	// dull is how near to even a word is passed over.
	dull = 0.1
	// counted is how many words decide, the clearest ones.
	counted = 150
	// shown is how many of them the moderator sees.
	shown = 10
)

// count is in how many texts of each kind a word was.
type count struct{ spam, good int32 }

// model is what one purpose has learned.
type model struct {
	total count
	words map[string]count
}

// models holds the models in memory, loaded when they are first asked.
type models struct {
	mu      sync.RWMutex
	version uint64
	by      map[Purpose]*model
}

// forget drops the memory: the tables changed behind it.
func (m *models) forget() {
	m.mu.Lock()
	m.version++
	m.by = nil
	m.mu.Unlock()
}

// apply adds a committed change to what is in memory.
func (m *models) apply(p Purpose, words []string, delta count) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.version++ // a load under way read the tables without it, or with it: again
	of := m.by[p]
	if of == nil {
		return
	}
	of.total.add(delta)
	for _, w := range words {
		c := of.words[w]
		c.add(delta)
		of.words[w] = c
	}
}

func (c *count) add(d count) {
	c.spam = max(c.spam+d.spam, 0)
	c.good = max(c.good+d.good, 0)
}

// load reads the tables of a purpose unless they are in memory.
func (f *Filter) load(p Purpose) error {
	m := &f.model
	m.mu.RLock()
	ready, version := m.by[p] != nil, m.version
	m.mu.RUnlock()
	if ready {
		return nil
	}
	loaded, err := f.readModel(p)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.by == nil {
		m.by = map[Purpose]*model{}
	}
	if m.version == version {
		m.by[p] = loaded
	}
	return nil
}

func (f *Filter) readModel(p Purpose) (*model, error) {
	of := &model{words: map[string]count{}}
	if !f.app.HasTable(tableWords) {
		return of, nil
	}
	var total struct {
		Spam int32 `db:"spam"`
		Good int32 `db:"good"`
	}
	err := f.app.DB().NewQuery(`SELECT coalesce(sum(spam), 0) AS spam, coalesce(sum(good), 0) AS good
		FROM _spam_totals WHERE purpose = {:p}`).Bind(dbx.Params{"p": string(p)}).One(&total)
	if err != nil {
		return nil, fmt.Errorf("read the learned words: %w", err)
	}
	of.total = count{total.Spam, total.Good}
	rows, err := f.app.DB().NewQuery(`SELECT word, spam, good FROM _spam_words WHERE purpose = {:p}`).
		Bind(dbx.Params{"p": string(p)}).Rows()
	if err != nil {
		return nil, fmt.Errorf("read the learned words: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var word string
		var c count
		if err := rows.Scan(&word, &c.spam, &c.good); err != nil {
			return nil, fmt.Errorf("read the learned words: %w", err)
		}
		of.words[word] = c
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the learned words: %w", err)
	}
	return of, nil
}

// checkWords asks the learned filter.
func (f *Filter) checkWords(v *Verdict, s Submission) error {
	if err := f.load(s.Purpose); err != nil {
		return err
	}
	f.model.mu.RLock()
	if of := f.model.by[s.Purpose]; of.ready() {
		v.Probability, v.Words = of.judge(tokens(s))
	}
	f.model.mu.RUnlock()
	switch p := v.Probability; {
	case p >= 0.9999 && len(v.Words) == shown:
		v.Add(LayerWords, FileAt, "Its words are those of spam.")
	case p >= 0.99:
		v.Add(LayerWords, 70, "Its words are nearly all those of spam.")
	case p >= 0.8:
		v.Add(LayerWords, HoldAt, "Its words are more often those of spam.")
	}
	return nil
}

// ready reports whether the model knows enough to judge.
func (m *model) ready() bool {
	return m != nil && m.total.spam >= leastLearned && m.total.good >= leastLearned
}

// judge gives the probability that a text with these words is spam, and the
// words that counted most.
func (m *model) judge(list []string) (float64, []Word) {
	var clear []Word
	for _, w := range list {
		c, known := m.words[w]
		if !known || c.spam+c.good == 0 {
			continue
		}
		if p := m.probability(c); math.Abs(p-0.5) >= dull {
			clear = append(clear, Word{Word: w, Spam: p})
		}
	}
	slices.SortStableFunc(clear, func(a, b Word) int {
		return cmp.Compare(math.Abs(b.Spam-0.5), math.Abs(a.Spam-0.5))
	})
	clear = clear[:min(len(clear), counted)]
	return fisher(clear), slices.Clone(clear[:min(len(clear), shown)])
}

// probability is how likely a text with the word is spam, where half of all
// texts are.
func (m *model) probability(c count) float64 {
	spam := float64(c.spam) / float64(m.total.spam)
	good := float64(c.good) / float64(m.total.good)
	p := spam / (spam + good)
	n := float64(c.spam + c.good)
	return (strength*0.5 + n*p) / (strength + n)
}

// fisher combines the words: 0 is good, 1 is spam, 0.5 is undecided, also
// where much speaks for each.
func fisher(list []Word) float64 {
	if len(list) == 0 {
		return 0.5
	}
	var logSpam, logGood float64
	for _, w := range list {
		p := min(max(w.Spam, 1e-6), 1-1e-6)
		logSpam += math.Log(p)
		logGood += math.Log(1 - p)
	}
	spam := 1 - chi2(-2*logGood, 2*len(list))
	good := 1 - chi2(-2*logSpam, 2*len(list))
	return (1 + spam - good) / 2
}

// chi2 is the probability that chi-squared of an even number of degrees of
// freedom is at least x.
func chi2(x float64, degrees int) float64 {
	m := x / 2
	term := math.Exp(-m)
	sum := term
	for i := 1; i < degrees/2; i++ {
		term *= m / float64(i)
		sum += term
	}
	return min(sum, 1)
}

package spam

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"

	"bungalow/hooks/kit/settings"
)

// Feature is the name of the settings record.
const Feature = "spam"

// Options are what the owner may set, for comments and forms together.
type Options struct {
	// MinSeconds is how long a person needs at least to fill in a form.
	MinSeconds int `json:"min_seconds" label:"Least time" unit:"seconds" min:"0" max:"60" help:"What is sent faster than this after its form was shown is held."`
	// MaxLinks is how many links a text may have without suspicion.
	MaxLinks int `json:"max_links" label:"Links in a text" min:"0" max:"100" help:"More of them count against it."`
	// Block lists words and phrases, domains (".example.com" or
	// "example.com"), mail addresses, addresses of the network and CIDR blocks.
	Block []string `json:"block" label:"Refused" help:"One a line: a word or phrase, a domain, a mail address, an address of the network or a block such as 192.0.2.0/24. A line that begins with # is a note."`
	// Disposable lists domains of throw-away mail besides the built-in ones.
	Disposable []string `json:"disposable" label:"Domains of throw-away mail" help:"Besides the built-in ones, one a line."`
	// AkismetKey has submissions asked about at Akismet; empty asks nobody.
	AkismetKey string `json:"akismet_key" kind:"secret" label:"Key for Akismet" group:"Akismet" help:"Asks Akismet about what would be published. Without a key nobody is asked."`
	// NoLimits and NoWork switch throttles, time and proof of work off, for a
	// site behind a guard of its own and for measuring.
	NoLimits bool `json:"no_limits" label:"No throttles" group:"For a site behind a guard of its own" help:"Lets anybody send as much as they like."`
	NoWork   bool `json:"no_work" label:"No proof of work" help:"Asks browsers for neither time nor work."`
}

// Defaults are the options of a site whose owner has set nothing.
func Defaults() Options { return Options{MinSeconds: 3, MaxLinks: 2} }

// Bounds of what the owner may list.
const (
	maxListed    = 5000
	maxListedLen = 200
)

// Validate names the first field that can't be used.
func (o Options) Validate() error {
	switch {
	case o.MinSeconds < 0 || o.MinSeconds > 60:
		return fmt.Errorf("min_seconds: choose a number from 0 to 60")
	case o.MaxLinks < 0 || o.MaxLinks > 100:
		return fmt.Errorf("max_links: choose a number from 0 to 100")
	case len(o.Block) > maxListed || len(o.Disposable) > maxListed:
		return fmt.Errorf("block: a list may have at most %d lines", maxListed)
	}
	for _, line := range o.Block {
		if len(line) > maxListedLen {
			return fmt.Errorf("block: a line may have at most %d characters", maxListedLen)
		}
		if strings.Contains(line, "/") && !strings.Contains(line, " ") {
			if _, err := netip.ParsePrefix(strings.TrimSpace(line)); err != nil && looksNumeric(line) {
				return fmt.Errorf("block: %q is not a block of addresses; write it as 192.0.2.0/24", line)
			}
		}
	}
	return nil
}

func looksNumeric(s string) bool { return strings.Trim(s, "0123456789./: ") == "" }

// prepared are the options in the form that the layers use.
type prepared struct {
	Options
	block      blockList
	disposable map[string]bool
}

// optionsCache holds the prepared options until the settings change.
type optionsCache struct {
	mu      sync.Mutex
	version uint64
	value   *prepared
}

func (c *optionsCache) forget() {
	c.mu.Lock()
	c.version++
	c.value = nil
	c.mu.Unlock()
}

// loadOptions gives the owner's options. Where they can't be read, the
// defaults hold: a fault in the settings must not open the door.
func (f *Filter) loadOptions() *prepared {
	c := &f.options
	c.mu.Lock()
	value, version := c.value, c.version
	c.mu.Unlock()
	if value != nil {
		return value
	}
	o, err := settings.Load(f.app, Feature, Defaults())
	if err != nil {
		f.app.Logger().Error("the settings of the spam filter can't be read", "error", err)
		o = Defaults()
	}
	value = &prepared{Options: o, block: parseBlock(o.Block), disposable: map[string]bool{}}
	for _, d := range o.Disposable {
		if d = cleanDomain(d); d != "" {
			value.disposable[d] = true
		}
	}
	c.mu.Lock()
	if c.version == version {
		c.value = value
	}
	c.mu.Unlock()
	return value
}

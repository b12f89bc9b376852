package engine

import (
	"bufio"
	"slices"
	"strings"
	"testing"
)

func TestOnlyUntouchedPartsOfTheExecutableAreReleased(t *testing.T) {
	t.Parallel()
	const maps = `00400000-00500000 r-xp 00000000 fe:00 1033 /opt/site
Rss:                 800 kB
Anonymous:             0 kB
00500000-00600000 r--p 00100000 fe:00 1033 /opt/site
Anonymous:             4 kB
00600000-00680000 r--p 00200000 fe:00 1033 /opt/site
Anonymous:             0 kB
AnonHugePages:         0 kB
00680000-00700000 rw-p 00280000 fe:00 1033 /opt/site
Anonymous:             0 kB
00700000-00780000 r-xs 00280000 fe:00 1033 /opt/site
Anonymous:             0 kB
7f0000000000-7f0000001000 r-xp 00000000 fe:00 77 /lib/libc.so
Anonymous:             0 kB
7f0000002000-7f0000003000 r--p 00000000 00:00 0
Anonymous:             0 kB
7f0000004000-7f0000005000 r--p 00000000 fe:00 1033 /opt/site (deleted)
Anonymous:             0 kB
`
	got := codeRanges(bufio.NewScanner(strings.NewReader(maps)), "/opt/site")
	if want := []memoryRange{{0x400000, 0x100000}, {0x600000, 0x80000}}; !slices.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
	releaseCode() // and everything goes on
}

package engine

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// adviceDontNeed is MADV_DONTNEED of madvise(2).
const adviceDontNeed = 4

// releaseCode unmaps the pages of the executable that the start has read. What
// is needed again is mapped again from the system's memory, and what was needed
// once no longer counts as ours.
func releaseCode() {
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	file, err := os.Open("/proc/self/smaps")
	if err != nil {
		return
	}
	defer file.Close()
	for _, r := range codeRanges(bufio.NewScanner(file), self) {
		// An error leaves the pages where they are.
		_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, r.start, r.size, adviceDontNeed)
	}
}

// memoryRange is a part of the address space.
type memoryRange struct{ start, size uintptr }

// codeRanges reads from a list in the form of smaps where path is mapped to be
// read only and no page differs from the file: others would be lost.
func codeRanges(lines *bufio.Scanner, path string) []memoryRange {
	var ranges []memoryRange
	var current memoryRange
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 {
			continue
		}
		if start, end, ok := strings.Cut(fields[0], "-"); ok {
			current = memoryRange{}
			from, err1 := strconv.ParseUint(start, 16, 64)
			to, err2 := strconv.ParseUint(end, 16, 64)
			readOnly := strings.HasPrefix(fields[1], "r-") && strings.HasSuffix(fields[1], "p")
			if err1 == nil && err2 == nil && readOnly && len(fields) == 6 && fields[5] == path {
				current = memoryRange{uintptr(from), uintptr(to - from)}
			}
			continue
		}
		if fields[0] == "Anonymous:" && fields[1] == "0" && current.size > 0 {
			ranges = append(ranges, current)
			current = memoryRange{}
		}
	}
	return ranges
}

package imports

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// bigExport writes an export of so many megabytes while it is read.
type bigExport struct {
	left, item int
	rest       string
}

func openBig(megabytes int) opener {
	return func() (io.ReadCloser, error) {
		return io.NopCloser(&bigExport{left: megabytes << 20, rest: "<rss><channel><title>Big</title><link>https://big.example</link>\n"}), nil
	}
}

var bigBody = strings.Repeat("<!-- wp:paragraph -->\n<p>Words &amp; more words, <em>marked</em> and [not a shortcode] plain.</p>\n<!-- /wp:paragraph -->\n\n", 120)

// Read implements io.Reader.
func (b *bigExport) Read(p []byte) (int, error) {
	if b.rest == "" && b.left == 0 {
		return 0, io.EOF
	}
	if b.rest == "" {
		b.item++
		id := strconv.Itoa(b.item)
		b.rest = "<item><title>Post " + id + "</title><link>https://big.example/2020/" + id + "/</link><dc:creator>ada</dc:creator><content:encoded><![CDATA[" + bigBody +
			"]]></content:encoded><wp:post_id>" + id + "</wp:post_id><wp:post_date_gmt>2020-01-01 00:00:00</wp:post_date_gmt><wp:post_name>post-" + id +
			"</wp:post_name><wp:status>publish</wp:status><wp:post_type>post</wp:post_type><wp:postmeta><wp:meta_key>_elementor_data</wp:meta_key><wp:meta_value><![CDATA[" +
			bigBody + "]]></wp:meta_value></wp:postmeta></item>\n"
		if b.left -= len(b.rest); b.left <= 0 {
			b.left, b.rest = 0, b.rest+"</channel></rss>"
		}
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

// readBig reads such an export and returns its items and the largest heap that
// was in use after a collection, beyond what was in use before.
func readBig(megabytes int) (items int, peak uint64, err error) {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	before := m.HeapAlloc
	for _, e := range readWordPress(openBig(megabytes)) {
		if e != nil {
			return items, peak, e
		}
		if items++; items%100 == 0 {
			runtime.GC()
			if runtime.ReadMemStats(&m); m.HeapAlloc > before {
				peak = max(peak, m.HeapAlloc-before)
			}
		}
	}
	return items, peak, nil
}

// An export takes the memory of an item, not of a file. It runs alone: others
// would count into its heap.
func TestMemoryStaysFlat(t *testing.T) {
	items, peak, err := readBig(20)
	if err != nil || items < 500 {
		t.Fatalf("%d items, %v", items, err)
	}
	t.Logf("20 MB, %d items, peak heap %d KB", items, peak>>10)
	if peak > 4<<20 {
		t.Errorf("reading 20 MB took %d KB of heap", peak>>10)
	}
}

// BenchmarkExport200MB is for `make bench-import`; go test does not run it.
func BenchmarkExport200MB(b *testing.B) {
	megabytes := 200
	if n, err := strconv.Atoi(os.Getenv("EXPORT_MB")); err == nil {
		megabytes = n
	}
	for b.Loop() {
		items, peak, err := readBig(megabytes)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(megabytes) << 20)
		b.ReportMetric(float64(peak)/(1<<20), "peak-heap-MB")
		b.ReportMetric(float64(items), "items")
		fmt.Fprintln(os.Stderr, megabytes, "MB:", items, "items, peak heap", peak>>10, "KB")
	}
}

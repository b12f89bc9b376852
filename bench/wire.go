package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sort"
	"strconv"
	"strings"
)

// Request is one prepared request of a workload.
type Request struct {
	Method string            // "" is GET
	Path   string            // with the query
	Header map[string]string // besides Host, which the generator adds
	Body   string
	Status int // the status that counts as success; 0 is 200
}

// wire is the request as it goes over the connection.
func (r Request) wire(host string) []byte {
	var b bytes.Buffer
	_, _ = fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", r.method(), r.Path, host)
	for _, name := range sortedKeys(r.Header) {
		_, _ = fmt.Fprintf(&b, "%s: %s\r\n", name, r.Header[name])
	}
	if r.Body != "" {
		_, _ = fmt.Fprintf(&b, "Content-Length: %d\r\n", len(r.Body))
	}
	b.WriteString("\r\n")
	b.WriteString(r.Body)
	return b.Bytes()
}

func (r Request) method() string {
	if r.Method == "" {
		return http.MethodGet
	}
	return r.Method
}

func (r Request) want() int {
	if r.Status == 0 {
		return http.StatusOK
	}
	return r.Status
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// reply is what the generator keeps of a response: it reads the body and
// throws it away.
type reply struct {
	status int
	size   int  // bytes of the body
	closed bool // the server will close the connection
}

var errReply = errors.New("not an HTTP/1.1 response")

// readReply reads one response. It knows what the generator meets, a length or
// chunks, and does nothing that a load test does not need.
func readReply(br *bufio.Reader, head bool) (reply, error) {
	line, err := readLine(br)
	if err != nil {
		return reply{}, err
	}
	if len(line) < 12 || string(line[:7]) != "HTTP/1." {
		return reply{}, errReply
	}
	var r reply
	if r.status, err = strconv.Atoi(string(line[9:12])); err != nil || r.status < 100 {
		return reply{}, errReply
	}
	length, chunked, err := r.readHeader(br)
	if err != nil {
		return reply{}, err
	}
	switch {
	case head || r.status < 200 || r.status == http.StatusNoContent || r.status == http.StatusNotModified:
		return r, nil
	case chunked:
		r.size, err = discardChunks(br)
	case length >= 0:
		r.size, err = br.Discard(length)
	default:
		return reply{}, fmt.Errorf("%w: neither a length nor chunks", errReply)
	}
	return r, err
}

func (r *reply) readHeader(br *bufio.Reader) (length int, chunked bool, err error) {
	length = -1
	for {
		line, err := readLine(br)
		if err != nil {
			return 0, false, err
		}
		if len(line) == 0 {
			return length, chunked, nil
		}
		name, value, found := bytes.Cut(line, []byte(":"))
		if !found {
			return 0, false, errReply
		}
		value = bytes.TrimSpace(value)
		switch {
		case foldEqual(name, "content-length"):
			if length, err = strconv.Atoi(string(value)); err != nil || length < 0 {
				return 0, false, errReply
			}
		case foldEqual(name, "transfer-encoding"):
			chunked = foldEqual(value, "chunked")
		case foldEqual(name, "connection"):
			r.closed = foldEqual(value, "close")
		}
	}
}

func discardChunks(br *bufio.Reader) (int, error) {
	total := 0
	for {
		line, err := readLine(br)
		if err != nil {
			return total, err
		}
		hex, _, _ := strings.Cut(string(line), ";")
		n, err := strconv.ParseUint(strings.TrimSpace(hex), 16, 31)
		if err != nil {
			return total, errReply
		}
		if n == 0 {
			return total, discardTrailer(br)
		}
		if _, err := br.Discard(int(n)); err != nil {
			return total, err
		}
		if line, err = readLine(br); err != nil || len(line) != 0 {
			return total, errors.Join(errReply, err)
		}
		total += int(n)
	}
}

func discardTrailer(br *bufio.Reader) error {
	for {
		line, err := readLine(br)
		if err != nil || len(line) == 0 {
			return err
		}
	}
}

// readLine returns the next line without its end; the slice is valid until the
// next read.
func readLine(br *bufio.Reader) ([]byte, error) {
	line, err := br.ReadSlice('\n')
	if err != nil {
		if errors.Is(err, io.EOF) && len(line) > 0 {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return bytes.TrimRight(line, "\r\n"), nil
}

// foldEqual compares with a lower-case word without making garbage.
func foldEqual(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

package main

import (
	"bufio"
	"strings"
	"testing"
)

func TestReadReply(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, in string
		head     bool
		want     reply
		rest     string
		bad      bool
	}{
		{name: "length", in: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcNEXT", want: reply{status: 200, size: 3}, rest: "NEXT"},
		{name: "name in another case", in: "HTTP/1.1 200 OK\r\ncontent-LENGTH:  2 \r\n\r\nab", want: reply{status: 200, size: 2}},
		{name: "chunks", in: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\nNEXT", want: reply{status: 200, size: 13}, rest: "NEXT"},
		{name: "trailer", in: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: 1\r\n\r\nNEXT", want: reply{status: 200}, rest: "NEXT"},
		{name: "no body", in: "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\nNEXT", want: reply{status: 304}, rest: "NEXT"},
		{name: "head", in: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nNEXT", head: true, want: reply{status: 200}, rest: "NEXT"},
		{name: "closing", in: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", want: reply{status: 200, closed: true}},
		{name: "no length", in: "HTTP/1.1 200 OK\r\n\r\nabc", bad: true},
		{name: "short body", in: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", bad: true},
		{name: "negative length", in: "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", bad: true},
		{name: "another protocol", in: "SSH-2.0-OpenSSH_9.2\r\n", bad: true},
		{name: "header without colon", in: "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", bad: true},
		{name: "chunk that lies", in: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n", bad: true},
		{name: "huge chunk", in: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffff\r\n", bad: true},
		{name: "empty", in: "", bad: true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			br := bufio.NewReader(strings.NewReader(c.in))
			got, err := readReply(br, c.head)
			if (err != nil) != c.bad {
				t.Fatalf("error %v, want one: %v", err, c.bad)
			}
			if err != nil {
				return
			}
			rest, _ := br.Peek(br.Buffered())
			if got != c.want || string(rest) != c.rest {
				t.Errorf("got %+v and %q left, want %+v and %q", got, rest, c.want, c.rest)
			}
		})
	}
}

func FuzzReadReply(f *testing.F) {
	f.Add("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc")
	f.Add("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n")
	f.Fuzz(func(t *testing.T, in string) {
		r, err := readReply(bufio.NewReaderSize(strings.NewReader(in), 256), false)
		if err == nil && (r.size > len(in) || r.status < 100) {
			t.Errorf("%q gave %+v", in, r)
		}
	})
}

func TestRequestWire(t *testing.T) {
	t.Parallel()
	cases := []struct {
		in   Request
		want string
	}{
		{Request{Path: "/"}, "GET / HTTP/1.1\r\nHost: h:1\r\n\r\n"},
		{
			Request{Method: "POST", Path: "/a?b=c", Body: "{}", Header: map[string]string{"X": "1", "Content-Type": "application/json"}},
			"POST /a?b=c HTTP/1.1\r\nHost: h:1\r\nContent-Type: application/json\r\nX: 1\r\nContent-Length: 2\r\n\r\n{}",
		},
	}
	for _, c := range cases {
		if got := string(c.in.wire("h:1")); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

package faults

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"bungalow/tests/binary"
)

// drawing is a picture that costs the queue some work and differs by seed.
func drawing(t *testing.T, seed int) []byte {
	t.Helper()
	picture := image.NewNRGBA(image.Rect(0, 0, 1000, 700))
	for y := range 700 {
		for x := range 1000 {
			picture.SetNRGBA(x, y, color.NRGBA{uint8(x + seed), uint8(y * seed), uint8(x ^ y), 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// fileForm is the body of a form with one file, and its type.
func fileForm(name string, content []byte) (body *bytes.Buffer, kind string, err error) {
	body = &bytes.Buffer{}
	form := multipart.NewWriter(body)
	part, err := form.CreateFormFile("file", name)
	if err != nil {
		return nil, "", err
	}
	if _, err := part.Write(content); err != nil {
		return nil, "", err
	}
	return body, form.FormDataContentType(), form.Close()
}

// upload stores a picture and returns its address.
func upload(t *testing.T, c binary.Client, name string, content []byte) (address string, err error) {
	t.Helper()
	body, kind, err := fileForm(name, content)
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.Base+"/api/collections/media/records", body)
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("Authorization", c.Token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return "", err
	}
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("status %d: %s", res.StatusCode, raw)
	}
	var made struct{ ID, File string }
	err = json.Unmarshal(raw, &made)
	return "/media/" + made.ID + "/" + made.File, err
}

// Pictures are resized by the queue, one at a time. A kill -9 in the middle of
// that work delays it: after the next start every size of every picture whose
// upload was acknowledged is made.
func TestKillUnderQueueLoad(t *testing.T) {
	t.Parallel()
	home := site(t)
	server := serve(t, home)
	root := signIn(t, server)
	const pictures = 6
	var addresses []string
	for i := range pictures {
		address, err := upload(t, root, fmt.Sprintf("drawing-%d.png", i), drawing(t, i+1))
		if err != nil {
			t.Fatal(err)
		}
		addresses = append(addresses, address)
	}
	visitor := binary.Client{Base: server.URL}
	if sizesMade(t, visitor, addresses) == pictures {
		t.Fatal("the queue was done before the kill; this test needs more pictures")
	}
	server.Kill()
	if problem := integrity(t, home); problem != "ok" {
		t.Fatal(problem)
	}

	visitor = binary.Client{Base: serve(t, home).URL}
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	// What was in work at the kill is taken up when its lease has run out.
	deadline := time.After(2 * binary.Patience)
	for made := 0; ; {
		if made = sizesMade(t, visitor, addresses); made == pictures {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%d of %d pictures have their sizes", made, pictures)
		}
	}
}

// sizesMade counts the pictures whose smallest size is made: it is then served
// for good, and the original in its place for a minute only.
func sizesMade(t *testing.T, c binary.Client, addresses []string) int {
	t.Helper()
	made := 0
	for _, address := range addresses {
		a, err := c.Do(t.Context(), http.MethodGet, address+"?w=320&f=webp", nil)
		if err != nil || a.Status != http.StatusOK {
			t.Fatalf("%s answers %d, %v", address, a.Status, err)
		}
		if strings.Contains(a.Header.Get("Cache-Control"), "immutable") {
			made++
		}
	}
	return made
}

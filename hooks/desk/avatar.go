package desk

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"
	_ "image/png" // decodes uploads
	"io"
	"net/http"

	"bungalow/hooks/kit/desk"
	"github.com/disintegration/imaging"
	"github.com/pocketbase/pocketbase/tools/filesystem"
	_ "golang.org/x/image/webp" // decodes uploads
)

const (
	maxAvatar   = 5 << 20    // bytes of an upload
	maxPixels   = 24_000_000 // of a picture, before it is decoded
	avatarWidth = 256        // pixels of what is kept
)

// avatar reads the picture of a form, nil where there is none. It is decoded
// and written anew: small, square, and without what a camera noted. The fault
// is a sentence for the person.
func avatar(e *desk.Event) (*filesystem.File, string) {
	if e.Request.MultipartForm == nil {
		return nil, ""
	}
	file, _, err := e.Request.FormFile("avatar")
	if errors.Is(err, http.ErrMissingFile) {
		return nil, ""
	}
	if err != nil {
		return nil, e.T("The picture could not be read.")
	}
	defer file.Close()
	raw, err := io.ReadAll(io.LimitReader(file, maxAvatar+1))
	if err != nil || len(raw) > maxAvatar {
		return nil, e.T("Take a picture of at most 5 MB.")
	}
	if len(raw) == 0 {
		return nil, ""
	}
	small, err := square(raw)
	if err != nil {
		return nil, e.T("Take a JPEG, PNG or WebP picture of at most 24 megapixels.")
	}
	picture, err := filesystem.NewFileFromBytes(small, "avatar.jpg")
	if err != nil {
		return nil, e.T("The picture could not be read.")
	}
	return picture, ""
}

var errPixels = errors.New("too many pixels")

// square cuts the middle out of a picture. Its size is looked at before it is
// decoded.
func square(raw []byte) ([]byte, error) {
	size, _, err := image.DecodeConfig(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	if size.Width <= 0 || size.Height <= 0 || size.Width > maxPixels/size.Height {
		return nil, errPixels
	}
	picture, err := imaging.Decode(bytes.NewReader(raw), imaging.AutoOrientation(true))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = jpeg.Encode(&out, imaging.Fill(picture, avatarWidth, avatarWidth, imaging.Center, imaging.Lanczos), &jpeg.Options{Quality: 85})
	return out.Bytes(), err
}

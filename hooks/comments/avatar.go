package comments

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html/template"
	"strconv"
	"strings"

	"bungalow/hooks/kit/secret"
	"github.com/pocketbase/pocketbase/core"
)

// avatarOf is the seed of a person's picture: a keyed hash, from which nobody
// can try out mail addresses.
func avatarOf(app core.App, who string) string {
	key, err := secret.Derive(app, "comment avatars")
	if err != nil {
		return "0000000000"
	}
	h := hmac.New(sha256.New, key)
	h.Write([]byte(strings.ToLower(who)))
	return hex.EncodeToString(h.Sum(nil)[:5])
}

// Avatar draws the picture of a seed: a mirrored pattern of five by five.
func Avatar(seed string) template.HTML {
	n, err := strconv.ParseUint(seed, 16, 64)
	if err != nil {
		n = 0
	}
	var path strings.Builder
	for i := range 15 {
		if n>>i&1 == 0 {
			continue
		}
		x, y := i/5, i%5
		fmt.Fprintf(&path, "M%d %dh1v1h-1z", x, y)
		if x < 2 {
			fmt.Fprintf(&path, "M%d %dh1v1h-1z", 4-x, y)
		}
	}
	hue := n >> 16 % 360
	return template.HTML(fmt.Sprintf(`<svg class="comment-avatar" viewBox="-1 -1 7 7" aria-hidden="true" focusable="false"><path fill="hsl(%d 45%% 48%%)" d="%s"/></svg>`, hue, path.String())) // numbers alone
}

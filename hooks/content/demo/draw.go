package demo

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"math"
	"math/rand/v2"

	"golang.org/x/image/vector"
)

// Sizes of the drawings in pixels.
const (
	coverWidth  = 1280
	coverHeight = 720
	avatarSide  = 400
)

// palette is a paper, an ink and four colours that get along.
type palette [6]color.RGBA

var palettes = []palette{
	colors(0xf4ead9, 0x2b2a33, 0xc8553d, 0xe9b44c, 0x588b8b, 0x93b7be),
	colors(0xf2efe6, 0x22333b, 0x9a4f2f, 0xd9a566, 0x5e6f52, 0xc2c5a4),
	colors(0xfaf3e7, 0x2d3047, 0xe0773f, 0xf0c987, 0x419d78, 0x7b8fb8),
	colors(0xeef1ea, 0x1f2d2b, 0x3f7d6e, 0xe6a15c, 0xb8412f, 0xa9c3b6),
	colors(0xf6ece6, 0x3a2a3c, 0x8a4f7d, 0xe3a587, 0x4f6d8f, 0xd8b4c0),
	colors(0xf5f0e1, 0x1e3d59, 0xff6e40, 0xffc13b, 0x4b7f99, 0xb9cfd4),
	colors(0xefe9df, 0x33312e, 0x7a8450, 0xaebd77, 0xc0603e, 0xe4c590),
	colors(0xf3eef0, 0x27262f, 0xb33951, 0xe3b23c, 0x54786a, 0x91a6b4),
}

func colors(hex ...int) (p palette) {
	for i, h := range hex {
		p[i] = color.RGBA{uint8(h >> 16), uint8(h >> 8), uint8(h), 255}
	}
	return p
}

// point is a place on the canvas, in pixels.
type point struct{ x, y float64 }

// canvas is a picture in the making. The same seed gives the same picture.
type canvas struct {
	img *image.RGBA
	rnd *rand.Rand
	palette
}

func newCanvas(width, height int, seed string) *canvas {
	h := fnv.New64a()
	_, _ = h.Write([]byte(seed))
	rnd := rand.New(rand.NewPCG(h.Sum64(), 1))
	c := &canvas{img: image.NewRGBA(image.Rect(0, 0, width, height)), rnd: rnd, palette: palettes[rnd.IntN(len(palettes))]}
	draw.Draw(c.img, c.img.Rect, image.NewUniform(c.palette[0]), image.Point{}, draw.Src)
	return c
}

// scenes are what a cover may show, with the words for those who can't see it.
var scenes = map[string]struct {
	draw func(c *canvas, width, height float64)
	alt  string
}{
	"tiles":  {tiles, "Geometric drawing: tiles with quarter circles and dots"},
	"hills":  {hills, "Geometric drawing: hills under a low sun"},
	"shelf":  {shelf, "Geometric drawing: shelves full of books"},
	"arches": {arches, "Geometric drawing: loaves under arches"},
	"leaves": {leaves, "Geometric drawing: stems with leaves"},
	"houses": {houses, "Geometric drawing: a row of houses"},
}

// cover draws the named scene as a JPEG.
func cover(scene, seed string) ([]byte, error) {
	s, ok := scenes[scene]
	if !ok {
		return nil, fmt.Errorf("there is no scene %q", scene)
	}
	c := newCanvas(coverWidth, coverHeight, seed)
	s.draw(c, coverWidth, coverHeight)
	return c.jpeg()
}

func (c *canvas) jpeg() ([]byte, error) {
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, c.img, &jpeg.Options{Quality: 88}); err != nil {
		return nil, fmt.Errorf("encode drawing: %w", err)
	}
	return buf.Bytes(), nil
}

// between returns a number from low up to high.
func (c *canvas) between(low, high float64) float64 { return low + c.rnd.Float64()*(high-low) }

// paint returns one of the four colours, never the one that is given.
func (c *canvas) paint(not color.RGBA) color.RGBA {
	for {
		if p := c.palette[2+c.rnd.IntN(4)]; p != not {
			return p
		}
	}
}

// shape fills a polygon. Only its own rectangle is rasterised.
func (c *canvas) shape(fill color.RGBA, points ...point) {
	minX, minY, maxX, maxY := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, p := range points {
		minX, maxX = math.Min(minX, p.x), math.Max(maxX, p.x)
		minY, maxY = math.Min(minY, p.y), math.Max(maxY, p.y)
	}
	box := image.Rect(int(math.Floor(minX)), int(math.Floor(minY)), int(math.Ceil(maxX)), int(math.Ceil(maxY)))
	if box.Empty() || !box.Overlaps(c.img.Rect) {
		return
	}
	ras := vector.NewRasterizer(box.Dx(), box.Dy())
	for i, p := range points {
		x, y := float32(p.x-float64(box.Min.X)), float32(p.y-float64(box.Min.Y))
		if i == 0 {
			ras.MoveTo(x, y)
		} else {
			ras.LineTo(x, y)
		}
	}
	ras.ClosePath()
	seen := box.Intersect(c.img.Rect)
	if seen == box {
		ras.Draw(c.img, box, image.NewUniform(fill), image.Point{})
		return
	}
	mask := image.NewAlpha(image.Rect(0, 0, box.Dx(), box.Dy()))
	ras.Draw(mask, mask.Rect, image.Opaque, image.Point{})
	draw.DrawMask(c.img, seen, image.NewUniform(fill), image.Point{}, mask, seen.Min.Sub(box.Min), draw.Over)
}

func (c *canvas) rect(fill color.RGBA, x, y, w, h float64) {
	box := image.Rect(int(math.Round(x)), int(math.Round(y)), int(math.Round(x+w)), int(math.Round(y+h)))
	draw.Draw(c.img, box, image.NewUniform(fill), image.Point{}, draw.Src)
}

// disc fills the part of a circle between two angles, in turns clockwise from
// the right; a whole one from 0 to 1.
func (c *canvas) disc(fill color.RGBA, x, y, r, from, to float64) {
	steps := max(12, int(r*(to-from)))
	points := make([]point, 0, steps+2)
	if to-from < 1 {
		points = append(points, point{x, y})
	}
	for i := range steps + 1 {
		a := 2 * math.Pi * (from + (to-from)*float64(i)/float64(steps))
		points = append(points, point{x + r*math.Cos(a), y + r*math.Sin(a)})
	}
	c.shape(fill, points...)
}

// leaf fills the lens between two points; width is that of its middle.
func (c *canvas) leaf(fill color.RGBA, from, to point, width float64) {
	const steps = 14
	dx, dy := to.x-from.x, to.y-from.y
	length := math.Hypot(dx, dy)
	nx, ny := -dy/length*width/2, dx/length*width/2
	var points []point
	for i := range 2 * steps {
		t, side := float64(i)/steps, 1.0
		if i >= steps {
			t, side = 2-t, -1
		}
		bulge := side * math.Sin(math.Pi*t)
		points = append(points, point{from.x + dx*t + nx*bulge, from.y + dy*t + ny*bulge})
	}
	c.shape(fill, points...)
}

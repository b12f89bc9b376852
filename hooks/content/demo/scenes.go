package demo

import (
	"image/color"
	"math"
)

// tiles fills the picture with squares of simple shapes.
func tiles(c *canvas, width, height float64) {
	side := []float64{128, 160, 213.34}[c.rnd.IntN(3)]
	rows := math.Ceil(height / side)
	top := (height - rows*side) / 2
	for y := top; y < height; y += side {
		for x := 0.0; x < width; x += side {
			ground := c.palette[[]int{0, 0, 2, 3, 4, 5}[c.rnd.IntN(6)]]
			c.rect(ground, x, y, side, side)
			tile(c, ground, x, y, side)
		}
	}
}

// tile draws one of six motifs into a square.
func tile(c *canvas, ground color.RGBA, x, y, side float64) {
	fill, turn := c.paint(ground), float64(c.rnd.IntN(4))/4
	corner := [4]point{{x, y}, {x + side, y}, {x + side, y + side}, {x, y + side}}
	at := corner[int(turn*4)]
	mx, my := x+side/2, y+side/2
	switch c.rnd.IntN(6) {
	case 0:
		c.disc(fill, at.x, at.y, side, turn, turn+0.25)
	case 1:
		c.disc(fill, at.x, at.y, side, turn, turn+0.25)
		c.disc(c.paint(fill), at.x, at.y, side/2, turn, turn+0.25)
	case 2:
		c.disc(fill, mx, my, side/2, turn, turn+0.5)
	case 3:
		c.disc(fill, mx, my, side*0.36, 0, 1)
		c.disc(ground, mx, my, side*0.16, 0, 1)
	case 4:
		c.leaf(fill, corner[0], corner[2], side*0.58)
	case 5:
		next := corner[(int(turn*4)+1)%4]
		c.shape(fill, at, next, point{mx, my})
	}
}

// hills draws waves of land, the nearer the darker, under a sun.
func hills(c *canvas, width, height float64) {
	sky := c.palette[5]
	c.rect(mix(sky, c.palette[0], 0.55), 0, 0, width, height)
	c.disc(c.palette[3], width*c.between(0.2, 0.8), height*c.between(0.24, 0.42), height*c.between(0.11, 0.18), 0, 1)
	near := []color.RGBA{c.palette[4], c.palette[2], c.palette[1]}[c.rnd.IntN(3)]
	const layers = 5
	for l := range layers {
		share := float64(l+1) / layers
		base := height * (0.38 + 0.13*float64(l))
		swing, length, shift := height*c.between(0.04, 0.11), c.between(0.7, 1.6), c.between(0, 7)
		points := []point{{0, height}}
		line := func(x float64) float64 {
			return base + swing*math.Sin(shift+x/width*length*2*math.Pi) + swing/3*math.Sin(2*shift+x/width*length*11)
		}
		for x := 0.0; x <= width; x += 16 {
			points = append(points, point{x, line(x)})
		}
		fill := mix(sky, near, share)
		c.shape(fill, append(points, point{width, height})...)
		for range c.rnd.IntN(5) {
			x, tall := c.between(0, width), height*c.between(0.05, 0.09)*(0.5+share)
			c.leaf(mix(fill, c.palette[1], 0.35), point{x, line(x) + 4}, point{x, line(x) - tall}, tall*0.42)
		}
	}
}

// shelf draws boards with books that stand, lean and lie.
func shelf(c *canvas, width, height float64) {
	c.rect(mix(c.palette[0], c.palette[5], 0.25), 0, 0, width, height)
	rows := 2 + c.rnd.IntN(2)
	step := height / float64(rows)
	for row := range rows {
		floor := step*float64(row+1) - 18
		for x := 24.0; x < width-40; {
			x = book(c, x, floor, step)
		}
		c.rect(c.palette[1], 0, floor, width, 14)
	}
}

// book draws what stands at x and returns where the next thing may stand.
func book(c *canvas, x, floor, room float64) float64 {
	w, h := c.between(22, 62), room*c.between(0.52, 0.84)
	fill := c.palette[1+c.rnd.IntN(5)]
	switch c.rnd.IntN(14) {
	case 0: // a gap with a globe
		r := room * 0.17
		c.disc(c.paint(fill), x+r+16, floor-r-14, r, 0, 1)
		c.disc(c.palette[1], x+r+16, floor, r*0.6, 0.5, 1)
		return x + 2*r + 40
	case 1: // one that leans
		slope := h * 0.24
		c.shape(fill, point{x + slope, floor}, point{x + slope + w, floor - 8}, point{x + w, floor - h}, point{x, floor - h + 8})
		return x + slope + w + 12
	case 2: // a pile
		for i := range 3 {
			c.rect(c.palette[2+(c.rnd.IntN(4)+i)%4], x+c.between(0, 16), floor-26*float64(i+1), room*0.42, 24)
		}
		return x + room*0.42 + 30
	}
	c.rect(fill, x, floor-h, w, h)
	band := c.paint(fill)
	switch c.rnd.IntN(3) {
	case 0:
		c.rect(band, x, floor-h*0.86, w, 8)
		c.rect(band, x, floor-h*0.80, w, 4)
	case 1:
		c.rect(band, x+w*0.3, floor-h*0.75, w*0.4, h*0.4)
	case 2:
		c.disc(band, x+w/2, floor-h*0.18, w*0.24, 0, 1)
	}
	return x + w + 3
}

// arches draws nested arches with a loaf in each.
func arches(c *canvas, width, height float64) {
	ground := math.Round(height * 0.86)
	c.rect(mix(c.palette[0], c.palette[5], 0.4), 0, 0, width, height)
	n := 2 + c.rnd.IntN(3)
	span := width / float64(n)
	for i := range n {
		x, r := span*(float64(i)+0.5), math.Min(span*0.47, height*0.62)
		leg := math.Round(math.Max(r*0.35, height*c.between(0.62, 0.74)-r))
		first := c.rnd.IntN(4)
		for ring := range 4 {
			fill := c.palette[2+(first+ring)%4]
			if ring == 3 {
				fill = c.palette[1]
			}
			size := r * (1 - 0.2*float64(ring))
			c.rect(fill, x-size, ground-leg, 2*size, leg)
			c.disc(fill, x, ground-leg, size, 0.5, 1)
		}
		loaf := c.palette[3]
		c.disc(loaf, x, ground, r*0.28, 0.5, 1)
		for cut := -1.0; cut <= 1; cut++ {
			c.leaf(c.palette[0], point{x + cut*r*0.12 - r*0.03, ground - r*0.07}, point{x + cut*r*0.12 + r*0.04, ground - r*0.19}, r*0.035)
		}
	}
	c.rect(c.palette[1], 0, ground, width, height-ground)
	c.rect(c.palette[2+c.rnd.IntN(4)], 0, ground+24, width, 10)
}

// leaves draws stems that carry pairs of leaves.
func leaves(c *canvas, width, height float64) {
	c.rect(mix(c.palette[0], c.palette[5], c.between(0.1, 0.5)), 0, 0, width, height)
	c.disc(mix(c.palette[3], c.palette[0], 0.3), width*c.between(0.25, 0.75), height*0.45, height*0.34, 0, 1)
	stems := 5 + c.rnd.IntN(4)
	for i := range stems {
		x := width * (float64(i) + 0.5 + c.between(-0.15, 0.15)) / float64(stems)
		top := height * c.between(0.1, 0.34)
		lean := c.between(-40, 40)
		fill := c.palette[2+c.rnd.IntN(4)]
		at := func(t float64) point { return point{x + lean*t*t, height + (top-height)*t} }
		for t := 0.0; t < 1; t += 0.1 {
			a, b := at(t), at(t+0.1)
			c.shape(c.palette[1], point{a.x - 3, a.y}, point{b.x - 3, b.y}, point{b.x + 3, b.y}, point{a.x + 3, a.y})
		}
		pairs := 5 + c.rnd.IntN(3)
		for p := range pairs {
			t := 0.22 + 0.7*float64(p)/float64(pairs)
			from, long := at(t), height*0.17*(1.15-t*0.6)
			c.leaf(fill, from, point{from.x - long, from.y - long*0.55}, long*0.4)
			c.leaf(mix(fill, c.palette[1], 0.2), from, point{from.x + long, from.y - long*0.55}, long*0.4)
		}
		tip := at(1)
		c.leaf(fill, point{tip.x, tip.y + 12}, point{tip.x, tip.y - height*0.09}, height*0.05)
	}
}

// houses draws a street.
func houses(c *canvas, width, height float64) {
	sky := mix(c.palette[5], c.palette[0], c.between(0.2, 0.7))
	c.rect(sky, 0, 0, width, height)
	c.disc(c.palette[0], width*c.between(0.15, 0.85), height*0.2, height*0.09, 0, 1)
	ground := height * 0.9
	last := sky
	for x := -20.0; x < width; {
		w, h := c.between(130, 230), height*c.between(0.36, 0.6)
		fill := c.paint(last)
		house(c, fill, x, ground, w, h)
		last, x = fill, x+w
	}
	c.rect(c.palette[1], 0, ground, width, height-ground)
}

func house(c *canvas, fill color.RGBA, x, ground, w, h float64) {
	top := ground - h
	c.rect(fill, x, top, w, h)
	roof := mix(fill, c.palette[1], 0.45)
	switch rise := w * c.between(0.3, 0.5); c.rnd.IntN(3) {
	case 0:
		c.shape(roof, point{x, top}, point{x + w/2, top - rise}, point{x + w, top})
	case 1:
		c.disc(roof, x+w/2, top+1, w/2, 0.5, 1)
	case 2:
		for i := range 4 {
			inset := w * 0.125 * float64(i)
			c.rect(roof, x+inset, top-rise/4*float64(i+1), w-2*inset, rise/4+1)
		}
	}
	light, dark := c.palette[0], mix(c.palette[1], fill, 0.2)
	columns := 2 + c.rnd.IntN(2)
	cell := w / (float64(columns) + 0.5)
	for row := 0; float64(row+1)*cell*1.15 < h*0.72; row++ {
		for col := range columns {
			pane := dark
			if c.rnd.IntN(3) > 0 {
				pane = light
			}
			c.rect(pane, x+cell*(float64(col)+0.5), top+cell*(0.4+1.15*float64(row)), cell*0.5, cell*0.68)
		}
	}
	door := x + w*c.between(0.2, 0.6)
	c.rect(dark, door, ground-h*0.2, w*0.2, h*0.2)
	c.disc(dark, door+w*0.1, ground-h*0.2+1, w*0.1, 0.5, 1)
}

// face is what tells one portrait from another.
type face struct {
	skin color.RGBA
	long bool // hair
}

// avatar draws a person by hair and clothes alone.
func avatar(seed string, f face) ([]byte, error) {
	const s = avatarSide
	c := newCanvas(s, s, seed)
	skin := f.skin
	c.rect(mix(c.palette[5], c.palette[0], 0.4), 0, 0, s, s)
	hair, coat := mix(c.palette[1], c.palette[2], c.between(0, 0.4)), c.paint(c.palette[5])
	if !f.long {
		c.disc(hair, s/2, s*0.37, s*0.205, 0, 1)
	} else {
		c.disc(hair, s/2, s*0.40, s*0.25, 0, 1)
		c.rect(hair, s*0.25, s*0.40, s*0.5, s*0.26)
	}
	c.disc(coat, s/2, s*1.05, s*0.40, 0, 1)
	c.rect(mix(skin, c.palette[1], 0.15), s*0.43, s*0.55, s*0.14, s*0.14)
	c.disc(skin, s/2, s*0.69, s*0.07, 0, 0.5)
	c.disc(skin, s/2, s*0.44, s*0.19, 0, 1)
	c.disc(hair, s/2, s*0.36, s*0.20, 0.5, 1)
	for _, side := range []float64{-1, 1} {
		c.disc(c.palette[1], s/2+side*s*0.075, s*0.44, s*0.014, 0, 1)
	}
	c.disc(mix(skin, c.palette[2], 0.6), s/2, s*0.52, s*0.045, 0, 0.5)
	return c.jpeg()
}

// mix goes share of the way from a to b.
func mix(a, b color.RGBA, share float64) color.RGBA {
	part := func(x, y uint8) uint8 { return uint8(math.Round(float64(x) + (float64(y)-float64(x))*share)) }
	return color.RGBA{part(a.R, b.R), part(a.G, b.G), part(a.B, b.B), 255}
}

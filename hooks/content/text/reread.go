package text

// Plain returns the words of HTML that Render made, one line per block.
func Plain(html string) string {
	root, err := parse(html)
	if err != nil {
		return ""
	}
	return plain(root)
}

// Contents lists the headings of HTML that Render made.
func Contents(html string) []Heading {
	root, err := parse(html)
	if err != nil {
		return nil
	}
	return contents(root)
}

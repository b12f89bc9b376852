// The library's pages beyond plain HTML.

// Package web holds the built web console, where it has been built; README.md says how it is laid out.
package web

import (
	"embed"
	"io/fs"
	"strings"
)

// The pattern matches a fresh clone too, in which nothing is built: dist holds a text that says so.
//
//go:embed dist
var dist embed.FS

// Pages returns the pages of the API reference by their path below /api/docs, which internal/apidoc/generate makes. It
// is empty if the binary was made without them.
func Pages() map[string]string {
	pages := map[string]string{}
	err := fs.WalkDir(dist, "dist/docs", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := dist.ReadFile(path)
		name := strings.TrimSuffix(strings.TrimPrefix(path, "dist/docs/"), ".html")
		pages[strings.TrimPrefix(name, "reference")] = string(text)
		return err
	})
	if err != nil {
		return nil
	}
	return pages
}

// App returns the files of the built console, or nil if the binary was made without one.
func App() fs.FS {
	app, err := fs.Sub(dist, "dist/app")
	if err != nil {
		return nil
	}
	if _, err := fs.Stat(app, "index.html"); err != nil {
		return nil
	}
	return app
}

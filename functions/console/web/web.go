// Package web holds the built web console, where it has been built; README.md says how it is laid out.
package web

import (
	"embed"
	"io/fs"
)

// The pattern matches a fresh clone too, in which nothing is built: dist holds a text that says so.
//
//go:embed dist
var dist embed.FS

// Reference returns the page of the API reference, which internal/apidoc/generate makes, or "" if the binary was made
// without it.
func Reference() string {
	page, err := dist.ReadFile("dist/docs.html")
	if err != nil {
		return ""
	}
	return string(page)
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

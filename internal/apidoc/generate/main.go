// Command generate makes the API reference of the route tables: openapi.json, which is committed beside the console
// function, and the pages below docs, which are not. Run it in the module's root: go run ./internal/apidoc/generate.
// With -page it makes the pages alone. A test fails if openapi.json is not up to date.
package main

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"useraccounts/internal/apidoc"
	"useraccounts/internal/httpapi"
)

// Where the console function embeds the files from.
const (
	documentPath = "functions/console/api/openapi.json"
	pagesPath    = "functions/console/web/dist/docs"
)

func main() {
	pageOnly := flag.Bool("page", false, "make the pages alone, and leave openapi.json as it is")
	flag.Parse()
	files, err := generate()
	if err == nil && *pageOnly {
		delete(files, documentPath)
	}
	if err == nil {
		err = os.RemoveAll(pagesPath) // a page of an earlier version would be served for ever
	}
	for path, content := range files {
		if err == nil {
			err = os.MkdirAll(filepath.Dir(path), 0o755)
		}
		if err == nil {
			err = os.WriteFile(path, content, 0o644)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

// pagePath returns the path of the file of a page below /api/docs.
func pagePath(name string) string { return pagesPath + "/" + cmp.Or(name, "reference") + ".html" }

// generate returns the content of the files by path.
func generate() (map[string][]byte, error) {
	var routes [][]httpapi.Route
	for _, t := range tables() {
		routes = append(routes, t.routes)
	}
	doc, err := apidoc.New(routes...)
	if err != nil {
		return nil, err
	}
	text, err := doc.JSON()
	if err != nil {
		return nil, err
	}
	if err := apidoc.Validate(text); err != nil {
		return nil, err
	}
	pages, err := doc.Pages()
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{documentPath: text}
	for name, page := range pages {
		files[pagePath(name)] = page
	}
	return files, nil
}

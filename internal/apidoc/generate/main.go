// Command generate makes the API reference of the route tables: openapi.json, which is committed beside the console
// function, and the page docs.html, which is not. Run it in the module's root: go run ./internal/apidoc/generate. With
// -page it makes the page alone. A test fails if openapi.json is not up to date.
package main

import (
	"flag"
	"fmt"
	"os"

	"useraccounts/internal/apidoc"
	"useraccounts/internal/httpapi"
)

// Where the console function embeds the files from.
const (
	documentPath = "functions/console/api/openapi.json"
	pagePath     = "functions/console/web/dist/docs.html"
)

func main() {
	pageOnly := flag.Bool("page", false, "make the page alone, and leave openapi.json as it is")
	flag.Parse()
	files, err := generate()
	if err == nil && *pageOnly {
		delete(files, documentPath)
	}
	for path, content := range files {
		if err == nil {
			err = os.WriteFile(path, content, 0o644)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

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
	page, err := doc.Page()
	if err != nil {
		return nil, err
	}
	return map[string][]byte{documentPath: text, pagePath: page}, nil
}

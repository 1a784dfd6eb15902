// Command generate writes the API reference to functions/console/api, where the console function embeds it. Run it in
// the module's root: go run ./internal/apidoc/generate. A test fails if the files are not up to date.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"useraccounts/internal/apidoc"
	"useraccounts/internal/httpapi"
)

// folder is the folder from which the console function embeds the files.
const folder = "functions/console/api"

func main() {
	files, err := generate()
	if err == nil {
		for name, content := range files {
			if err = os.WriteFile(filepath.Join(folder, name), content, 0o644); err != nil {
				break
			}
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

// generate returns the content of the files by name.
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
	return map[string][]byte{"openapi.json": text, "docs.html": page}, nil
}

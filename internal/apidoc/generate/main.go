// Command generate writes the API's reference into functions/console/api, from where the console serves it. Run it from
// the module's root: go run ./internal/apidoc/generate. A test fails when the files are not what it would write.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"useraccounts/internal/apidoc"
	"useraccounts/internal/httpapi"
)

// folder is where the console's function embeds the files from.
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

// generate returns the files by name.
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

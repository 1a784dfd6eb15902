// Package archtest holds the project's code to rules that no linter knows: who may import whom, what may change, how
// secrets are compared, which test proves which security check. Its rules are functions over packages and syntax trees,
// so that its tests can show each of them failing. What linters know is in .golangci.yml.
package archtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
)

// Package is what go list says of a package.
type Package struct {
	ImportPath, Dir, Name, Doc string
	GoFiles, Imports           []string
}

// Path returns the package's folder within the module: "internal/account".
func (p Package) Path() string {
	_, path, _ := strings.Cut(p.ImportPath, "/")
	return path
}

// Load returns the packages of the module that dir is in.
func Load(ctx context.Context, dir string) ([]Package, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-json=ImportPath,Dir,Name,Doc,GoFiles,Imports", "./...")
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w: %s", err, &stderr)
	}
	var packages []Package
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p Package
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return packages, nil
		} else if err != nil {
			return nil, err
		}
		packages = append(packages, p)
	}
}

// Source is one file's syntax tree.
type Source struct {
	*ast.File
	// Name is the file's path within the module.
	Name string
	fset *token.FileSet
}

// ReadSources parses a package's files.
func ReadSources(p Package) ([]Source, error) {
	var out []Source
	for _, name := range p.GoFiles {
		s, err := ParseSource(filepath.Join(p.Path(), name), filepath.Join(p.Dir, name), nil)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// ParseSource parses text, or the file if text is nil, under a name within the module.
func ParseSource(name, file string, text any) (Source, error) {
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, file, text, parser.ParseComments|parser.SkipObjectResolution)
	return Source{File: tree, Name: name, fset: fset}, err
}

// line returns where a node begins.
func (s Source) line(n ast.Node) int { return s.fset.Position(n.Pos()).Line }

func (s Source) at(n ast.Node, format string, args ...any) string {
	return fmt.Sprintf("%s:%d: %s", s.Name, s.line(n), fmt.Sprintf(format, args...))
}

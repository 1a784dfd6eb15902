// Package archtest holds the project's code against internal/README.md and the bars of its style: who may import whom,
// how long things are, what is documented, what is not used where. Its rules are functions over packages and syntax
// trees, so that its tests can show each of them failing.
package archtest

import (
	"bytes"
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
func Load(dir string) ([]Package, error) {
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Name,Doc,GoFiles,Imports", "./...")
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

// line returns where a node begins, lines how many lines it takes.
func (s Source) line(n ast.Node) int { return s.fset.Position(n.Pos()).Line }

func (s Source) lines(n ast.Node) int { return s.fset.Position(n.End()).Line - s.line(n) + 1 }

func (s Source) at(n ast.Node, format string, args ...any) string {
	return fmt.Sprintf("%s:%d: %s", s.Name, s.line(n), fmt.Sprintf(format, args...))
}

package api

import (
	"context"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"

	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
)

// Site is the built console as it is served: one page for every address that people can be at, and files beside it.
type Site struct {
	index  httpapi.Response
	assets map[string]asset
}

// asset is one file, with what the build made smaller beside it.
type asset struct{ plain, gzip, brotli httpapi.Response }

// NewSite reads the built console; uploads is the origin to which the browser posts workbooks. Without a built console
// the site is a page that says how to build it.
func NewSite(app fs.FS, uploads string) *Site {
	s := &Site{index: pageResponse(home), assets: map[string]asset{}}
	if app == nil {
		return s
	}
	err := fs.WalkDir(app, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(app, name)
		if err != nil {
			return err
		}
		if name == "index.html" {
			s.index = indexResponse(content, uploads)
			return nil
		}
		s.add(name, content)
		return nil
	})
	if err != nil { // the files are part of the binary
		panic(fmt.Sprintf("reading the built console: %v", err))
	}
	return s
}

// add takes in one file. Names under assets hold a hash of what is in them, so a browser may keep those for good.
func (s *Site) add(name string, content []byte) {
	name, encoding := cutEncoding(name)
	kind := mime.TypeByExtension(path.Ext(name))
	if kind == "" {
		kind = "application/octet-stream"
	}
	keep := "no-cache"
	if strings.HasPrefix(name, "assets/") {
		keep = "public, max-age=31536000, immutable"
	}
	res := httpapi.Raw(kind, content).WithHeader("Cache-Control", keep).WithHeader("Vary", "Accept-Encoding")
	f := s.assets["/"+name]
	switch encoding {
	case "br":
		f.brotli = res.WithHeader("Content-Encoding", "br")
	case "gzip":
		f.gzip = res.WithHeader("Content-Encoding", "gzip")
	default:
		f.plain = res
	}
	s.assets["/"+name] = f
}

func cutEncoding(name string) (string, string) {
	if plain, ok := strings.CutSuffix(name, ".br"); ok {
		return plain, "br"
	}
	if plain, ok := strings.CutSuffix(name, ".gz"); ok {
		return plain, "gzip"
	}
	return name, ""
}

// policy lets the page use what came from its own origin, ask it, and post workbooks to the bucket: nothing inline,
// nothing from anybody else (V49).
func policy(uploads string) string {
	connect := "'self'"
	if uploads != "" {
		connect += " " + uploads
	}
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src " + connect +
		"; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
}

func indexResponse(content []byte, uploads string) httpapi.Response {
	return httpapi.Raw(htmlType, content).WithHeader("Content-Security-Policy", policy(uploads))
}

// serveIndex answers the first address.
func (s *Site) serveIndex(context.Context, *httpapi.Request) (httpapi.Response, error) {
	return s.index, nil
}

// serveFallback answers what no other route does: files, and the page at every address that the page itself takes
// apart. Under /api, and for any other method, there is nothing.
func (s *Site) serveFallback(_ context.Context, r *httpapi.Request) (httpapi.Response, error) {
	at := path.Clean("/" + r.Path())
	if methods := allowedMethods(r.Path()); len(methods) > 0 {
		return httpapi.Response{}, httpapi.MethodNotAllowed(methods...)
	}
	if at == "/" && r.Method() != http.MethodGet && r.Method() != http.MethodHead {
		return httpapi.Response{}, httpapi.MethodNotAllowed(http.MethodGet, http.MethodHead)
	}
	if r.Method() != http.MethodGet && r.Method() != http.MethodHead || at == "/api" || strings.HasPrefix(at, "/api/") {
		return httpapi.Response{}, noRoute()
	}
	if f, ok := s.assets[at]; ok {
		return f.negotiate(r.AcceptsEncoding), nil
	}
	if path.Ext(at) != "" { // a file of a former build, or a guess: never the page in its place
		return httpapi.Response{}, noRoute()
	}
	return s.index, nil
}

func (f asset) negotiate(accepts func(string) bool) httpapi.Response {
	switch {
	case f.brotli.Status != 0 && accepts("br"):
		return f.brotli
	case f.gzip.Status != 0 && accepts("gzip"):
		return f.gzip
	}
	return f.plain
}

func noRoute() error {
	return fault.New(fault.NotFound, "noRoute",
		"There is nothing at this address, or not with this method. GET /api/docs lists what there is.")
}

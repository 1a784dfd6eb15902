package api

import (
	"context"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"

	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
)

// Site serves what was built: one page for all addresses of the console, its assets, and the pages of the reference.
type Site struct {
	index    httpapi.Response
	docs     map[string]httpapi.Response // by path below /api/docs
	explorer httpapi.Response
	assets   map[string]asset
}

// asset is one file with its compressed versions, if the build made any.
type asset struct{ plain, gzip, brotli httpapi.Response }

// NewSite returns the site of a built console and the built pages of the reference by their path below /api/docs;
// uploads is the origin to which browsers post workbooks. What was not built is replaced by a page that says how to
// build it.
func NewSite(app fs.FS, pages map[string]string, uploads string) *Site {
	s := &Site{index: pageResponse(home), docs: map[string]httpapi.Response{"": pageResponse(noDocs)},
		explorer: scriptResponse([]byte(explorer), ""), assets: map[string]asset{}}
	for name, text := range pages {
		s.docs[name] = pageResponse(text)
	}
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
			s.index = scriptResponse(content, uploads)
			return nil
		}
		s.add(name, content)
		return nil
	})
	if err != nil { // the files are embedded in the binary
		panic(fmt.Sprintf("reading the built console: %v", err))
	}
	return s
}

// add adds one file. Names under assets contain a hash of the content, so browsers may cache them for ever.
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

// policy allows the page resources and requests of its own origin and uploads to the bucket: nothing inline, no other
// origin (V49).
func policy(uploads string) string {
	connect := "'self'"
	if uploads != "" {
		connect += " " + uploads
	}
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
		"connect-src " + connect +
		"; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
}

// scriptResponse is a page with scripts of its own origin.
func scriptResponse(content []byte, uploads string) httpapi.Response {
	return httpapi.Raw(htmlType, content).WithHeader("Content-Security-Policy", policy(uploads))
}

// serveDocs serves the reference page.
func (s *Site) serveDocs(context.Context, *httpapi.Request) (httpapi.Response, error) {
	return s.docs[""], nil
}

// serveGuide serves the explorer, or a page beside the reference.
func (s *Site) serveGuide(_ context.Context, r *httpapi.Request) (httpapi.Response, error) {
	if r.Param("page") == "explorer" {
		return s.explorer, nil
	}
	return s.page(r.Param("page"))
}

// serveProblem serves the page about a problem's code.
func (s *Site) serveProblem(_ context.Context, r *httpapi.Request) (httpapi.Response, error) {
	return s.page("problems/" + r.Param("code"))
}

func (s *Site) page(name string) (httpapi.Response, error) {
	page, ok := s.docs[name]
	if !ok {
		return httpapi.Response{}, noRoute()
	}
	return page, nil
}

// serveIndex serves the page at /.
func (s *Site) serveIndex(context.Context, *httpapi.Request) (httpapi.Response, error) {
	return s.index, nil
}

// serveFallback serves what no other route does: assets, and the page at the console's other addresses, which its
// script routes. A browser at an address that the console does not have gets the page too, which says so, with 404.
// Whatever else asks for an unknown address, asks for JSON or uses another method gets a problem.
func (s *Site) serveFallback(_ context.Context, r *httpapi.Request) (httpapi.Response, error) {
	at := path.Clean("/" + r.Path())
	if methods := allowedMethods(r.Path()); len(methods) > 0 {
		return httpapi.Response{}, httpapi.MethodNotAllowed(methods...)
	}
	if at == "/" && r.Method() != http.MethodGet && r.Method() != http.MethodHead {
		return httpapi.Response{}, httpapi.MethodNotAllowed(http.MethodGet, http.MethodHead)
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(at, "/"), "/")
	if r.Method() != http.MethodGet && r.Method() != http.MethodHead || strings.EqualFold(first, "api") {
		return httpapi.Response{}, noRoute()
	}
	if f, ok := s.assets[at]; ok {
		return f.negotiate(r.AcceptsEncoding), nil
	}
	switch {
	case r.Accepts("application/json") && !r.Accepts("text/html"), strings.HasPrefix(first, "."),
		path.Ext(at) != "": // a file of an earlier build, or a guess: not the page
		return httpapi.Response{}, noRoute()
	case at == "/", slices.Contains(consolePages, first):
		return s.index, nil
	case r.Accepts("text/html"):
		missing := s.index
		missing.Status = http.StatusNotFound
		return missing, nil
	}
	return httpapi.Response{}, noRoute()
}

// consolePages are the first parts of the console's addresses. A test holds them to the console's routes.
var consolePages = []string{
	"sign-in", "forgotten", "set-password", "sso", "accounts", "import", "export", "jobs", "me", "settings",
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
		"There is no such address, or it does not support this method. GET /api/docs lists all routes.")
}

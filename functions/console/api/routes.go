// Package api is the console function's routes: the web console and pages that are the same for everybody.
package api

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"strings"

	"useraccounts/internal/access"
	"useraccounts/internal/httpapi"
)

var (
	//go:embed home.html
	home string
	// The reference is written by internal/apidoc/generate.
	//go:embed docs.html
	docs string
	//go:embed openapi.json
	openapi []byte
)

// Routes returns the console's route table over the built console.
func Routes(site *Site) []httpapi.Route {
	return []httpapi.Route{
		{
			Key: "GET /", Needs: access.Public, Page: true, Handle: site.serveIndex,
			Doc: httpapi.Operation{
				Tag: "About", Summary: "The web console",
				Description: "The same page at every address that is no file and not under /api.",
				Answers:     []httpapi.Answer{{Status: 200, Body: "", ContentType: htmlType, Description: "The page."}},
			},
		},
		{
			Key: "GET /api/docs", Needs: access.Public, Handle: page(docs),
			Doc: httpapi.Operation{
				Tag: "About", Summary: "This page",
				Answers: []httpapi.Answer{{Status: 200, Body: "", ContentType: htmlType, Description: "This page."}},
			},
		},
		{
			Key: "GET /api/openapi.json", Needs: access.Public, Handle: staticHandler(httpapi.Raw("application/json", openapi)),
			Doc: httpapi.Operation{
				Tag: "About", Summary: "The API as OpenAPI 3.1",
				Answers: []httpapi.Answer{{Status: 200, Body: map[string]any{}, Description: "An OpenAPI document for programs."}},
			},
		},
		{Key: "$default", Needs: access.Public, Page: true, Handle: site.serveFallback},
	}
}

const htmlType = "text/html; charset=utf-8"

// page answers with a page that may use its own style sheet and icon, and nothing else: no script, no other origin.
func page(text string) httpapi.HandlerFunc { return staticHandler(pageResponse(text)) }

func pageResponse(text string) httpapi.Response {
	policy := "default-src 'none'; style-src '" + styleHash(text) +
		"'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	return httpapi.Raw(htmlType, []byte(text)).WithHeader("Content-Security-Policy", policy)
}

func staticHandler(res httpapi.Response) httpapi.HandlerFunc {
	return func(context.Context, *httpapi.Request) (httpapi.Response, error) { return res, nil }
}

// styleHash returns the hash by which a policy allows the page's one style element.
func styleHash(text string) string {
	_, after, _ := strings.Cut(text, "<style>")
	style, _, _ := strings.Cut(after, "</style>")
	sum := sha256.Sum256([]byte(style))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

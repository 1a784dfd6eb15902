package httpapi

import (
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/http"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
	"github.com/go-json-experiment/json"
)

// Response is what a handler returns. Make one with OK, Created, Accepted, NoContent or Raw.
type Response struct {
	Status int
	// Header adds to the usual headers, or overrides them. Names are in canonical spelling.
	Header map[string]string
	// Cookies are whole Set-Cookie values.
	Cookies []string

	body        any
	raw         []byte
	contentType string
	problem     *problem
}

// OK is a 200 with a body that is written as JSON.
func OK(body any) Response { return Response{Status: http.StatusOK, body: body} }

// Created is a 201; location is the path of the new resource.
func Created(location string, body any) Response {
	return Response{Status: http.StatusCreated, body: body}.setHeader("Location", location)
}

// Accepted is a 202; location is the path of the result, empty if there is none to follow.
func Accepted(location string, body any) Response {
	r := Response{Status: http.StatusAccepted, body: body}
	if location == "" {
		return r
	}
	return r.setHeader("Location", location)
}

// NoContent is a 204.
func NoContent() Response { return Response{Status: http.StatusNoContent} }

// Raw is a 200 with content that is written as it is, and an entity tag over its bytes.
func Raw(contentType string, content []byte) Response {
	sum := sha256.Sum256(content)
	return Response{Status: http.StatusOK, raw: content, contentType: contentType}.
		setHeader("Etag", `"`+base64.RawURLEncoding.EncodeToString(sum[:15])+`"`)
}

// WithVersion adds the strong ETag that If-Match sends back.
func (r Response) WithVersion(version int64) Response { return r.setHeader("Etag", etag(version)) }

// WithHeader adds a header, or overrides a usual one.
func (r Response) WithHeader(name, value string) Response {
	return r.setHeader(http.CanonicalHeaderKey(name), value)
}

func (r Response) setHeader(name, value string) Response {
	r.Header = maps.Clone(r.Header)
	if r.Header == nil {
		r.Header = map[string]string{}
	}
	r.Header[name] = value
	return r
}

// encodeBody returns r with its body as bytes, so that the stored, compared and sent body are the same.
func (r Response) encodeBody() (Response, error) {
	if r.body == nil {
		return r, nil
	}
	raw, err := json.Marshal(r.body, json.Deterministic(true))
	if err != nil {
		return Response{}, err
	}
	r.raw, r.contentType, r.body = raw, "application/json", nil
	return r, nil
}

// gatewayResponse returns r in the form of the gateway.
func (r Response) gatewayResponse() events.APIGatewayV2HTTPResponse {
	out := events.APIGatewayV2HTTPResponse{StatusCode: r.Status, Headers: r.Header, Cookies: r.Cookies}
	if utf8.Valid(r.raw) {
		out.Body = string(r.raw)
	} else {
		out.Body, out.IsBase64Encoded = base64.StdEncoding.EncodeToString(r.raw), true
	}
	return out
}

package httpapi

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"mime"

	"github.com/andybalholm/brotli"
)

const (
	// minCompressed is the shortest body in bytes that is compressed; a shorter one gains less than it costs.
	minCompressed = 1 << 10
	// brotliLevel compresses answers to a fifth at the speed of gzip.
	brotliLevel = 4
)

// compressible are the media types that compression makes smaller.
var compressible = map[string]bool{
	"application/json": true, "application/problem+json": true, "text/csv": true, "text/html": true,
}

// withCompression compresses what the caller accepts compressed. The ETag stays, because it names the version and not
// the bytes. An answer with a secret is never compressed: its length would tell about the secret (BREACH).
func withCompression(next HandlerFunc) HandlerFunc {
	return func(ctx context.Context, r *Request) (Response, error) {
		res, err := next(ctx, r)
		mediaType, _, _ := mime.ParseMediaType(res.contentType)
		if len(res.raw) < minCompressed || !compressible[mediaType] || res.Header["Content-Encoding"] != "" ||
			r.route.Doc.Secret || len(res.Cookies) > 0 {
			return res, err
		}
		res = res.setHeader("Vary", "Accept-Encoding")
		var out bytes.Buffer
		var w io.WriteCloser
		switch {
		case r.AcceptsEncoding("br"):
			res.Header["Content-Encoding"], w = "br", brotli.NewWriterLevel(&out, brotliLevel)
		case r.AcceptsEncoding("gzip"):
			res.Header["Content-Encoding"], w = "gzip", gzip.NewWriter(&out)
		default:
			return res, err
		}
		_, _ = w.Write(res.raw) // a buffer takes everything
		_ = w.Close()
		res.raw = out.Bytes()
		return res, err
	}
}

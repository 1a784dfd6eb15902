package httpapi

import (
	"bytes"
	"context"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"useraccounts/internal/fault"
)

// IdempotencyStore keeps the answers of requests that came with an Idempotency-Key. Keys and records are opaque to it;
// a record whose time has passed is not there, whether or not it has been swept.
type IdempotencyStore interface {
	// Claim stores record under key until the given time, unless one is there: then it changes nothing and returns that
	// one. It returns nil when the claim was won. Two claims at once: one wins.
	Claim(ctx context.Context, key string, record []byte, now, until time.Time) (existing []byte, err error)
	// Replace puts record in place of the one that was claimed, until the given time; without that one it changes nothing.
	Replace(ctx context.Context, key string, claimed, record []byte, until time.Time) error
	// Release takes away the one that was claimed, and no other.
	Release(ctx context.Context, key string, claimed []byte) error
}

const (
	// answerTTL is how long an answer is kept for a repeat of its request.
	answerTTL = 24 * time.Hour
	// claimTTL is how long a request that died with its process blocks its key, where Lambda set no deadline.
	claimTTL = 30 * time.Second
)

// idempotencyRecord is what the store keeps for a key.
type idempotencyRecord struct {
	Body    []byte `json:"b"`           // SHA-256 of the request's path, query and body
	Request string `json:"r"`           // id of the request that claimed the key: no two claims are equal
	Answer  []byte `json:"a,omitempty"` // sealed savedResponse; none while the request runs
}

// savedResponse is an answer to be given again.
type savedResponse struct {
	Status      int               `json:"s"`
	Header      map[string]string `json:"h,omitempty"`
	ContentType string            `json:"t,omitempty"`
	Raw         []byte            `json:"b,omitempty"`
}

// withIdempotency runs a request with an Idempotency-Key one time and gives its answer again to repeats (V67). Only an
// answer that did something is kept: a refusal changed nothing, so the key is free again for the mended request, and
// after a failure of ours for the same one.
func (h *Handler) withIdempotency(next handlerFunc) handlerFunc {
	return func(ctx context.Context, r *Request) (Response, error) {
		given := r.header("idempotency-key")
		if !r.route.Idempotent || !r.has("idempotency-key") {
			return next(ctx, r)
		}
		c, err := newClaim(r, given)
		if err != nil {
			return Response{}, err
		}
		until := r.now.Add(claimTTL)
		if deadline, ok := ctx.Deadline(); ok {
			until = deadline.Add(2 * timeoutReserve)
		}
		existing, err := h.Idempotency.Claim(ctx, c.key, c.record, r.now, until)
		if err != nil {
			return Response{}, err
		}
		if existing != nil {
			return c.replay(r, existing)
		}
		return h.run(ctx, r, c, next)
	}
}

// run answers a request whose key is claimed, and settles the claim even if the handler panics or time is up.
func (h *Handler) run(ctx context.Context, r *Request, c claim, next handlerFunc) (res Response, err error) {
	cleanupCtx := context.WithoutCancel(ctx)
	completed := false
	defer func() {
		if !completed {
			r.logFields.warning = errors.Join(r.logFields.warning, h.Idempotency.Release(cleanupCtx, c.key, c.record))
		}
	}()
	if res, err = next(ctx, r); err != nil {
		return res, err
	}
	record, err := c.completedRecord(res)
	if err != nil {
		return Response{}, err
	}
	// The work is done: if its answer cannot be kept the caller still gets it, and the claim lapses by itself.
	completed = true
	r.logFields.warning = errors.Join(r.logFields.warning,
		h.Idempotency.Replace(cleanupCtx, c.key, c.record, record, r.now.Add(answerTTL)))
	return res, nil
}

// claim is one request's hold on its key.
type claim struct {
	key    string
	body   []byte
	record []byte
	aead   cipher.AEAD
	id     string
}

func newClaim(r *Request, key string) (claim, error) {
	visible := func(c rune) bool { return c > ' ' && c < 0x7f }
	if key == "" || len(key) > 200 || strings.ContainsFunc(key, func(c rune) bool { return !visible(c) }) {
		return claim{}, fault.New(fault.Malformed, "idempotencyKey",
			"Idempotency-Key must be 1 to 200 visible ASCII characters, such as a UUID.")
	}
	account := r.Scope.Caller.AccountID
	// The parts cannot run into each other: none of them holds a NUL.
	name := sha256.Sum256([]byte(strings.Join([]string{r.Scope.Env.ID, account, r.route.Key, key}, "\x00")))
	// The path's parameters, the query and the version that it was made from are part of what must be the same; a version
	// that is empty is not none.
	from := "none"
	if r.has("if-match") {
		from = "=" + r.header("if-match")
	}
	sum := sha256.Sum256(
		bytes.Join([][]byte{[]byte(r.event.RawPath), []byte(r.event.RawQueryString), []byte(from), r.body}, []byte{0}))
	c := claim{key: base64.RawURLEncoding.EncodeToString(name[:]), body: sum[:], id: r.id}
	// The key a client chose is part of the sealing key, and only its hash is stored: a copy of the table does not show
	// answers that hold a secret.
	aead, err := sealer(r.Scope.Env.CursorKey, "idempotency "+key, account)
	if err != nil {
		return claim{}, err
	}
	c.aead = aead
	c.record, err = json.Marshal(idempotencyRecord{Body: c.body, Request: r.id})
	return c, err
}

// completedRecord returns the record of a request that has run.
func (c claim) completedRecord(res Response) ([]byte, error) {
	text, err := json.Marshal(
		savedResponse{Status: res.Status, Header: res.Header, ContentType: res.contentType, Raw: res.raw})
	if err != nil {
		return nil, err
	}
	return json.Marshal(idempotencyRecord{Body: c.body, Request: c.id, Answer: seal(c.aead, text, c.key)})
}

// replay answers from a record that was there before.
func (c claim) replay(r *Request, existing []byte) (Response, error) {
	var record idempotencyRecord
	if err := json.Unmarshal(existing, &record); err != nil {
		return Response{}, err
	}
	switch {
	case !bytes.Equal(record.Body, c.body):
		return Response{}, fault.New(fault.Invalid, "idempotencyKeyReused",
			"This Idempotency-Key came with another request before. Use a new key for a new request.")
	case len(record.Answer) == 0:
		return Response{}, fault.New(fault.Conflict, "idempotencyRunning",
			"The same request with this Idempotency-Key is still running. Send it again in a moment for its answer.").
			WithRetryAfter(time.Second)
	}
	text, err := open(c.aead, record.Answer, c.key)
	if err != nil { // sealed by a key that the environment has no more
		return Response{}, fault.New(fault.Conflict, "idempotencyAnswerGone",
			"This request ran before and is not run again, but its answer cannot be read any more. Look at what it was about "+
				"before you send it with another Idempotency-Key.")
	}
	var saved savedResponse
	if err := json.Unmarshal(text, &saved); err != nil {
		return Response{}, err
	}
	r.logFields.replayed = true
	res := Response{Status: saved.Status, Header: saved.Header, contentType: saved.ContentType, raw: saved.Raw}
	return res.setHeader(http.CanonicalHeaderKey("Idempotency-Replayed"), "true"), nil
}

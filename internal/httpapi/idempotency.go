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

// IdempotencyStore keeps the responses to requests with an Idempotency-Key. Keys and records are opaque to it. An
// expired record counts as missing, even if it was not deleted yet.
type IdempotencyStore interface {
	// Claim stores record under key until the given time and returns nil. If there is a record, it changes nothing and
	// returns that one. Of two concurrent claims one wins.
	Claim(ctx context.Context, key string, record []byte, now, until time.Time) (existing []byte, err error)
	// Replace replaces the claimed record, until the given time. If that is gone, it changes nothing.
	Replace(ctx context.Context, key string, claimed, record []byte, until time.Time) error
	// Release deletes the claimed record, and no other.
	Release(ctx context.Context, key string, claimed []byte) error
}

const (
	// answerTTL is how long a response is kept for repeats of its request.
	answerTTL = 24 * time.Hour
	// claimTTL is how long a request whose process died blocks its key, where Lambda set no deadline.
	claimTTL = 30 * time.Second
)

// idempotencyRecord is what the store keeps for a key.
type idempotencyRecord struct {
	Body    []byte `json:"b"`           // SHA-256 of the request's path, query and body
	Request string `json:"r"`           // id of the request that claimed the key, so that no two claims are equal
	Answer  []byte `json:"a,omitempty"` // sealed savedResponse; empty while the request runs
	Done    bool   `json:"d,omitempty"` // the request was done and its answer is not kept
}

// savedResponse is a stored response.
type savedResponse struct {
	Status      int               `json:"s"`
	Header      map[string]string `json:"h,omitempty"`
	ContentType string            `json:"t,omitempty"`
	Raw         []byte            `json:"b,omitempty"`
}

// withIdempotency runs a request with an Idempotency-Key once and returns its response to repeats (V67). Only a success
// is kept. A refusal changed nothing, so the key is free again for the corrected request; after an internal error it is
// free for the same one.
func (h *Handler) withIdempotency(next HandlerFunc) HandlerFunc {
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

// run handles a request whose key is claimed. It completes or releases the claim even if the handler panics or times
// out.
func (h *Handler) run(ctx context.Context, r *Request, c claim, next HandlerFunc) (res Response, err error) {
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
	// The work is done: if its response cannot be stored the caller still gets it, and the claim expires by itself.
	completed = true
	r.logFields.warning = errors.Join(r.logFields.warning,
		h.Idempotency.Replace(cleanupCtx, c.key, c.record, record, r.now.Add(answerTTL)))
	return res, nil
}

// claim is the claim of one request on its key.
type claim struct {
	key    string
	body   []byte
	record []byte
	aead   cipher.AEAD
	id     string
	// shownOnce is for an answer that holds a secret.
	shownOnce bool
}

func newClaim(r *Request, key string) (claim, error) {
	visible := func(c rune) bool { return c > ' ' && c < 0x7f }
	if key == "" || len(key) > 200 || strings.ContainsFunc(key, func(c rune) bool { return !visible(c) }) {
		return claim{}, fault.New(fault.Malformed, "idempotencyKey",
			"Idempotency-Key must be 1 to 200 visible ASCII characters, such as a UUID.")
	}
	account := r.Scope.Caller.AccountID
	// The separator is unambiguous: no part contains a NUL.
	name := sha256.Sum256([]byte(strings.Join([]string{r.Scope.Env.ID, account, r.route.Key, key}, "\x00")))
	// Path, query and If-Match must be the same too. An empty If-Match differs from a missing one.
	from := "none"
	if r.has("if-match") {
		from = "=" + r.header("if-match")
	}
	sum := sha256.Sum256(
		bytes.Join([][]byte{[]byte(r.event.RawPath), []byte(r.event.RawQueryString), []byte(from), r.body}, []byte{0}))
	c := claim{key: base64.RawURLEncoding.EncodeToString(name[:]), body: sum[:], id: r.id, shownOnce: r.route.ShownOnce}
	// The client's key is part of the sealing key and only its hash is stored. So a copy of the table does not reveal
	// responses that hold a secret.
	aead, err := sealer(r.Scope.Env.CursorKey, "idempotency "+key, account)
	if err != nil {
		return claim{}, err
	}
	c.aead = aead
	c.record, err = json.Marshal(idempotencyRecord{Body: c.body, Request: r.id})
	return c, err
}

// completedRecord returns the record of a request that succeeded.
func (c claim) completedRecord(res Response) ([]byte, error) {
	if c.shownOnce {
		return json.Marshal(idempotencyRecord{Body: c.body, Request: c.id, Done: true})
	}
	text, err := json.Marshal(
		savedResponse{Status: res.Status, Header: res.Header, ContentType: res.contentType, Raw: res.raw})
	if err != nil {
		return nil, err
	}
	return json.Marshal(idempotencyRecord{Body: c.body, Request: c.id, Answer: seal(c.aead, text, c.key)})
}

// replay responds from an existing record.
func (c claim) replay(r *Request, existing []byte) (Response, error) {
	var record idempotencyRecord
	if err := json.Unmarshal(existing, &record); err != nil {
		return Response{}, err
	}
	switch {
	case !bytes.Equal(record.Body, c.body):
		return Response{}, fault.New(fault.Invalid, "idempotencyKeyReused",
			"This Idempotency-Key was used with another request. Use a new key for a new request.")
	case record.Done || c.shownOnce && len(record.Answer) > 0: // an earlier release kept the answer
		return Response{}, fault.New(fault.Conflict, "shownOnce",
			"This request was done before and is not done again. Its answer held a secret, which was shown that once.")
	case len(record.Answer) == 0:
		return Response{}, fault.New(fault.Conflict, "idempotencyRunning",
			"The same request with this Idempotency-Key is still running. Send it again in a moment to get its response.").
			WithRetryAfter(time.Second)
	}
	text, err := open(c.aead, record.Answer, c.key)
	if err != nil { // sealed with a key that was replaced
		return Response{}, fault.New(fault.Conflict, "idempotencyAnswerGone",
			"This request ran before and is not run again, but its response cannot be read any more. Check its result before "+
				"you send it with another Idempotency-Key.")
	}
	var saved savedResponse
	if err := json.Unmarshal(text, &saved); err != nil {
		return Response{}, err
	}
	r.logFields.replayed = true
	res := Response{Status: saved.Status, Header: saved.Header, contentType: saved.ContentType, raw: saved.Raw}
	return res.setHeader(http.CanonicalHeaderKey("Idempotency-Replayed"), "true"), nil
}

// Package fault is the vocabulary of what can go wrong, as the product says it.
//
// Every package returns a *fault.Error for what a caller can do something about, and any other error for what it
// cannot. Nothing in here knows HTTP: the edge maps a Kind to a status in one place, and turns every error that is
// not a *fault.Error into a bare internal error.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind is the class of a fault; the edge maps each to one HTTP status.
type Kind int

// The kinds. Internal is the zero value, so that a forgotten kind tells a caller nothing.
const (
	Internal         Kind = iota
	Malformed             // the request cannot be read: broken JSON, a wrong type, an unknown member
	Invalid               // the request can be read, but a rule forbids a value in it
	Unauthenticated       // no valid session, ticket or credential
	Forbidden             // signed in, but not allowed
	NotFound              // no such thing, or not in the caller's environment
	MethodNotAllowed      // the thing is there, but this is not what is done with it
	Conflict              // the state of the thing forbids the action
	Stale                 // If-Match names a version that is no longer the newest
	VersionRequired       // a write came without If-Match
	TooLarge              // a body or file over its bound
	Unsupported           // a content type or file format that is not read here
	TooManyRequests       // throttled; RetryAfter says for how long
	Unavailable           // something this depends on is away; safe to try again
)

// Field names one wrong input.
type Field struct {
	// Field is the JSON name of the input (dots for nesting), or the column's heading for a sheet.
	Field string `json:"field"`
	// Code is stable and made for programs: "required", "taken", "tooLong".
	Code string `json:"code"`
	// Message says what is wrong and what to do, for a person.
	Message string `json:"message"`
	// By and At say who changed the field and when (UTC), on a Stale fault only.
	By string     `json:"by,omitempty"`
	At *time.Time `json:"at,omitempty"`
}

// Error is a fault with everything a caller may be told, and a cause that stays inside.
type Error struct {
	Kind Kind
	// Code is stable and made for programs; it becomes the last part of the problem's type.
	Code string
	// Detail says what happened and what to do about it, for a person. It never holds a secret.
	Detail string
	// Fields names the inputs at fault, if any.
	Fields []Field
	// RetryAfter says when to try again, for TooManyRequests, Unavailable and some Conflicts; zero when unknown.
	RetryAfter time.Duration

	cause error
}

// New returns a fault of the given kind. Detail may hold verbs for args.
func New(kind Kind, code, detail string, args ...any) *Error {
	if len(args) > 0 {
		detail = fmt.Sprintf(detail, args...)
	}
	return &Error{Kind: kind, Code: code, Detail: detail}
}

// InvalidFields returns an Invalid fault for the given fields, or nil (an untyped nil error) if there are none.
func InvalidFields(fields []Field) error {
	if len(fields) == 0 {
		return nil
	}
	return &Error{
		Kind: Invalid, Code: "invalid", Fields: fields,
		Detail: "Some fields are not right. Nothing was changed; mend the fields named and send the request again.",
	}
}

// Error returns code and detail, with the cause for the log.
func (e *Error) Error() string {
	if e.cause != nil {
		return e.Code + ": " + e.Detail + ": " + e.cause.Error()
	}
	return e.Code + ": " + e.Detail
}

// Unwrap returns the cause that Because set, if any.
func (e *Error) Unwrap() error { return e.cause }

// WithCause returns a copy of e with a cause that is logged and never sent.
func (e *Error) WithCause(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// WithRetryAfter returns a copy of e that tells the caller when to try again.
func (e *Error) WithRetryAfter(d time.Duration) *Error {
	c := *e
	c.RetryAfter = d
	return &c
}

// WithFields returns a copy of e that names the given fields.
func (e *Error) WithFields(fields ...Field) *Error {
	c := *e
	c.Fields = fields
	return &c
}

// As returns the *Error within err, or nil.
func As(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}

// Is reports whether err is a fault of the given kind.
func Is(err error, kind Kind) bool {
	e := As(err)
	return e != nil && e.Kind == kind
}

// HasCode reports whether err is a fault with the given code.
func HasCode(err error, code string) bool {
	e := As(err)
	return e != nil && e.Code == code
}

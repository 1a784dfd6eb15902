// Package fault defines the errors that callers can see.
//
// A package returns a *fault.Error for what a caller can do something about, and any other error for what it cannot.
// This package does not know HTTP: httpapi maps each Kind to a status in one place, and turns every error that is not a
// *fault.Error into a bare internal error.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind is the class of a fault; httpapi maps each to one HTTP status.
type Kind int

// The kinds. Internal is the zero value, so that a forgotten kind reveals nothing.
const (
	Internal         Kind = iota
	Malformed             // the request cannot be read: broken JSON, a wrong type, an unknown member
	Invalid               // the request can be read, but a rule forbids one of its values
	Unauthenticated       // no valid session, ticket or credential
	Forbidden             // signed in, but not allowed
	NotFound              // no such resource in the caller's environment
	MethodNotAllowed      // the resource exists, but does not support this operation
	Conflict              // the state of the resource forbids the action
	Stale                 // If-Match names a version that is no longer the latest
	VersionRequired       // a write came without If-Match
	TooLarge              // a body or file over its bound
	Unsupported           // a content type or file format that is not supported
	TooManyRequests       // throttled; RetryAfter says for how long
	Unavailable           // a dependency is unavailable; safe to retry
)

// Field describes one wrong input.
type Field struct {
	// Field is the JSON name of the input, with dots for nesting, or the column's heading in a sheet.
	Field string `json:"field"`
	// Code is stable, for programs: "required", "taken", "tooLong".
	Code string `json:"code"`
	// Message says what is wrong and what to do, for people.
	Message string `json:"message"`
	// By and At say who changed the field and when (UTC), in a Stale fault only.
	By string     `json:"by,omitempty"`
	At *time.Time `json:"at,omitempty"`
}

// Error is a fault: what a caller may be told, and a cause that is only logged.
type Error struct {
	Kind Kind
	// Code is stable, for programs; it becomes the last part of the problem's type.
	Code string
	// Detail says what happened and what to do about it, for people. It never holds a secret.
	Detail string
	// Fields describes the wrong inputs, if any.
	Fields []Field
	// RetryAfter says when to retry, for TooManyRequests, Unavailable and some Conflicts; zero if unknown.
	RetryAfter time.Duration

	cause error
}

// New returns a fault of the given kind. Detail is a format if there are args.
func New(kind Kind, code, detail string, args ...any) *Error {
	if len(args) > 0 {
		detail = fmt.Sprintf(detail, args...)
	}
	return &Error{Kind: kind, Code: code, Detail: detail}
}

// InvalidFields returns an Invalid fault for the given fields, or an untyped nil if there are none.
func InvalidFields(fields []Field) error {
	if len(fields) == 0 {
		return nil
	}
	return &Error{
		Kind: Invalid, Code: "invalid", Fields: fields,
		Detail: "Some fields are invalid; see `fields`. Nothing was changed.",
	}
}

// Error returns code, detail and cause, for the log.
func (e *Error) Error() string {
	if e.cause != nil {
		return e.Code + ": " + e.Detail + ": " + e.cause.Error()
	}
	return e.Code + ": " + e.Detail
}

// Unwrap returns the cause, if any.
func (e *Error) Unwrap() error { return e.cause }

// WithCause returns a copy of e with a cause, which is logged and never sent.
func (e *Error) WithCause(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// WithRetryAfter returns a copy of e that tells the caller when to retry.
func (e *Error) WithRetryAfter(d time.Duration) *Error {
	c := *e
	c.RetryAfter = d
	return &c
}

// WithFields returns a copy of e with the given fields.
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

package mfa

import (
	"crypto/rand"
	"fmt"
	"io"
	"math/big"
	"time"
)

const (
	// MailCodeLife is how long a code by mail is valid.
	MailCodeLife = 10 * time.Minute
	// MailCodeTryLimit is how often one may be tried.
	MailCodeTryLimit = 5
	// MailCodeLimit is how many are sent to an account within MailCodeWindow.
	MailCodeLimit = 3
	// MailCodeWindow is the time in which they are counted.
	MailCodeWindow = 15 * time.Minute
)

// MailedCode is a code that was mailed for the sign-in of a ticket. The next one replaces it.
type MailedCode struct {
	Ticket  string
	Hash    string
	Sent    time.Time
	Expires time.Time
	// Tries are the attempts at it. Streak counts the wrong ones in a row, at this code and the ones before.
	Tries, Streak int64
}

// NewMailCode makes a code for the sign-in of a ticket: the digits to mail, and the hash to keep.
func NewMailCode(random io.Reader, h Hasher, ticket string, now time.Time) (string, MailedCode, error) {
	n, err := rand.Int(random, big.NewInt(1_000_000))
	if err != nil {
		return "", MailedCode{}, fmt.Errorf("read random: %w", err)
	}
	code := fmt.Sprintf("%06d", n)
	hash, err := h.Hash(code)
	return code, MailedCode{Ticket: ticket, Hash: hash, Sent: now, Expires: now.Add(MailCodeLife)}, err
}

package mfa

import (
	"crypto/rand"
	"fmt"
	"io"
	"math/big"
	"time"
)

const (
	// MailCodeLife is how long a code by mail is good.
	MailCodeLife = 10 * time.Minute
	// MailCodeGoes is how often one may be tried.
	MailCodeGoes = 5
	// MailCodes is how many are sent to an account within MailCodesWithin.
	MailCodes = 3
	// MailCodesWithin is the time in which they are counted.
	MailCodesWithin = 15 * time.Minute
)

// SentCode is a code that was mailed, for the sign-in that a ticket is of. The next one replaces it.
type SentCode struct {
	Ticket  string
	Hash    string
	Sent    time.Time
	Expires time.Time
	// Tries are the goes at it; Streak the wrong ones in a row at this and those before.
	Tries, Streak int64
}

// NewMailCode makes a code for the sign-in of a ticket: the digits to mail, and what is kept of them.
func NewMailCode(random io.Reader, h Hasher, ticket string, now time.Time) (string, SentCode, error) {
	n, err := rand.Int(random, big.NewInt(1_000_000))
	if err != nil {
		return "", SentCode{}, fmt.Errorf("read random: %w", err)
	}
	code := fmt.Sprintf("%06d", n)
	hash, err := h.Hash(code)
	return code, SentCode{Ticket: ticket, Hash: hash, Sent: now, Expires: now.Add(MailCodeLife)}, err
}

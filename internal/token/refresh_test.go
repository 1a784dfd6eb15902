package token_test

import (
	"bytes"
	"testing"

	"useraccounts/internal/token"
)

// V41: a token's successors are the same each time, and nobody else's.
func TestSuccessorsAreTheSameEachTime(t *testing.T) {
	salt, err := token.NewSalt(bytes.NewReader(bytes.Repeat([]byte{3}, token.SaltSize)))
	if err != nil {
		t.Fatal(err)
	}
	first := issue(t, token.Refresh, 7)
	a1, r1 := first.Successors(salt)
	a2, r2 := first.Successors(salt)
	if a1 != a2 || r1 != r2 {
		t.Error("another successor the second time")
	}
	a3, r3 := first.Successors(bytes.Repeat([]byte{4}, token.SaltSize))
	a4, r4 := issue(t, token.Refresh, 8).Successors(salt)
	a5, r5 := r1.Successors(salt)
	seen := map[token.Token]bool{first: true, a1: true, r1: true}
	for _, other := range []token.Token{a3, r3, a4, r4, a5, r5} {
		if seen[other] {
			t.Error("another salt or token gives the same successor")
		}
		seen[other] = true
	}
	for _, made := range []token.Token{a1, r1} {
		back, err := token.Parse(made.Kind, made.Reveal())
		if err != nil || back != made || back.Account != first.Account || back.ID != first.ID {
			t.Errorf("%s does not read back: %v", made.Kind, err)
		}
	}
	if _, err := token.NewSalt(bytes.NewReader([]byte{1})); err == nil {
		t.Error("a salt out of one byte")
	}
}

// V41: every generation of a session is known as of its family, and no other token is.
func TestAFamilyKnowsItsTokens(t *testing.T) {
	first := issue(t, token.Refresh, 7)
	hash, salt := first.FamilyHash(), bytes.Repeat([]byte{3}, token.SaltSize)
	last := first
	for range 5 {
		_, last = last.Successors(salt)
		if !last.InFamily(hash) || last.Matches(first.Hash()) {
			t.Error("a successor is of no family, or is its forerunner")
		}
	}
	for name, other := range map[string]token.Token{
		"another session's": issue(t, token.Refresh, 8),
		"an access token":   issue(t, token.Access, 7), "none": {},
	} {
		if other.InFamily(hash) || other.InFamily(nil) || other.InFamily(other.FamilyHash()) && other.Kind != token.Refresh {
			t.Errorf("%s is of the family", name)
		}
	}
	if first.InFamily(nil) || first.InFamily([]byte{}) {
		t.Error("of no family at all")
	}
}

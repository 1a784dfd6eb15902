package oidc

import (
	"testing"
	"time"
)

// V56: nobody waits for a provider for more than two seconds, nor reads more of it than a megabyte.
func TestRequestsAreBounded(t *testing.T) {
	if got := NewHTTP(false).Timeout; got <= 0 || got > 2*time.Second {
		t.Errorf("a request may take %s", got)
	}
	if maxResponse > 1<<20 {
		t.Errorf("an answer may have %d bytes", maxResponse)
	}
}

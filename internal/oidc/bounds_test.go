package oidc

import (
	"testing"
	"time"
)

// V56: a request takes at most two seconds and reads at most a megabyte.
func TestRequestsAreBounded(t *testing.T) {
	if got := NewHTTP(false).Timeout; got <= 0 || got > 2*time.Second {
		t.Errorf("a request may take %s", got)
	}
	if maxResponse > 1<<20 {
		t.Errorf("an answer may have %d bytes", maxResponse)
	}
}

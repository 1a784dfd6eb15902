package account

import (
	"maps"
	"slices"
	"strings"
	"time"

	"useraccounts/internal/field"
)

// MaxNetworks is how many known networks an account has: those that it signed in from last.
const MaxNetworks = 4

// networkDays is for how many days after a sign-in a network is known.
const networkDays = 30

// Networks are the networks that an account is known to sign in from (session.SignInNetwork).
type Networks map[string]NetworkUse

// NetworkUse is the last day on which the account signed in from a network, in UTC, and the failures in a row from
// there since.
type NetworkUse struct {
	Day   field.Date
	Tries int64
}

// NetworkTryLimit is how many failures in a row a known network has of its own, where limit failures block the account.
// With those of the account and of all its networks there are never more than MaxConsecutiveFailures.
func NetworkTryLimit(limit int) int64 {
	return int64(max(0, min(limit, 5, (MaxConsecutiveFailures-limit)/MaxNetworks)))
}

// MaxAccountFailures is after how many failures in a row, besides those from known networks, only an administrator can
// let the person sign in again.
func MaxAccountFailures(limit int) int64 {
	return MaxConsecutiveFailures - MaxNetworks*NetworkTryLimit(limit)
}

// NetworkKnownSince is the day since which the account must have signed in from a network, for that to be known at now.
func NetworkKnownSince(now time.Time) field.Date {
	return field.DateOf(now.AddDate(0, 0, -networkDays))
}

// CountsAt reports whether an attempt from a network is counted there: it is known at now and has tries left.
func (n Networks) CountsAt(network string, limit int, now time.Time) bool {
	use, known := n[network]
	return known && use.Day >= NetworkKnownSince(now) && use.Tries < NetworkTryLimit(limit)
}

// SignedInFrom returns the networks after a sign-in from one of them, or from a new one in place of the oldest.
func (n Networks) SignedInFrom(network string, now time.Time) Networks {
	after := maps.Clone(n)
	if after == nil {
		after = Networks{}
	}
	delete(after, network)
	for len(after) >= MaxNetworks {
		delete(after, slices.MinFunc(slices.Sorted(maps.Keys(after)), func(a, b string) int {
			return strings.Compare(string(after[a].Day), string(after[b].Day))
		}))
	}
	after[network] = NetworkUse{Day: field.DateOf(now)}
	return after
}

// WithoutTries returns the networks as the account's login keys have them.
func (n Networks) WithoutTries() Networks {
	after := Networks{}
	for network, use := range n {
		after[network] = NetworkUse{Day: use.Day}
	}
	return after
}

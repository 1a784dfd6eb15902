package sso

import (
	"context"
	"errors"
	"maps"
	"slices"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/fault"
)

// Outcome is what becomes, or would become, of one pair of email and object id.
type Outcome string

// The outcomes. Only Linkable and LinkedNow make or made a link.
const (
	Linkable        Outcome = "linkable"      // a preview: it would be linked
	LinkedNow       Outcome = "linked"        // it was linked by this
	AlreadyLinked   Outcome = "alreadyLinked" // it was so before
	NoSuchEmail     Outcome = "noSuchEmail"   // no account has this email
	TwoAccounts     Outcome = "twoAccounts"   // the object id stands beside two emails, or the email beside two object ids
	LinkedToAnother Outcome = "linkedToAnother"
	// NotAllowed is an account that the caller may not link, Unusable a pair that is no email or no object id.
	NotAllowed Outcome = "notAllowed"
	Unusable   Outcome = "unusable"
	// NoSuchAccount is an id of an account that there is not.
	NoSuchAccount Outcome = "noSuchAccount"
	// Removed and NotLinked are of links taken away.
	Removed   Outcome = "removed"
	NotLinked Outcome = "notLinked"
)

// Outcomes returns all there are.
func Outcomes() []Outcome {
	return []Outcome{Linkable, LinkedNow, AlreadyLinked, NoSuchEmail, TwoAccounts, LinkedToAnother, NotAllowed, Unusable,
		NoSuchAccount, Removed, NotLinked}
}

// Pair is what the wizard links: an account by its id, or else by somebody's email, and the id that the provider knows
// them by.
type Pair struct{ AccountID, Email, ObjectID string }

// MatchResult is a pair with the account that has its email.
type MatchResult struct {
	Pair
	Outcome Outcome
	// AccountID and Username are empty where no account has the email.
	AccountID, Username string
	// Detail says what stands in the way, and what to do.
	Detail string

	account account.Account
}

// MaxPairs is how many pairs are matched, or linked, in one call.
const MaxPairs = 1000

// Match says for each pair what linking it would do. Nothing is written.
func (s *Identities) Match(ctx context.Context, sc access.Scope, p Provider, pairs []Pair) ([]MatchResult, error) {
	out := make([]MatchResult, len(pairs))
	emails, ids := make([]string, 0, len(pairs)), make([]string, 0, len(pairs))
	keys := make([]string, len(pairs))
	for i, pair := range pairs {
		out[i].Pair = pair
		email, ok := account.Normalise(pair.Email)
		id, bad := normaliseObjectID(pair.ObjectID)
		switch {
		case bad == nil && pair.AccountID != "":
			keys[i], out[i].ObjectID = idKeyPrefix+pair.AccountID, id
			ids = append(ids, id)
		case !ok || !account.IsEmail(email):
			out[i].Outcome, out[i].Detail = Unusable, "This is not an email."
		case bad != nil:
			out[i].Outcome, out[i].Detail = Unusable, bad.Message
		default:
			keys[i], out[i].ObjectID = email, id
			emails, ids = append(emails, email), append(ids, id)
		}
	}
	markAmbiguous(out, keys)
	accounts, err := s.Store.AccountsByEmail(ctx, sc.Env, emails)
	if err != nil {
		return nil, err
	}
	if err := s.addAccountsByID(ctx, sc, pairs, accounts); err != nil {
		return nil, err
	}
	linked, err := s.Store.IdentitiesByObjectID(ctx, sc.Env.ID, p.ID, ids)
	if err != nil {
		return nil, err
	}
	for i := range out {
		if out[i].Outcome != "" && out[i].Outcome != TwoAccounts {
			continue
		}
		a, ok := accounts[keys[i]]
		if out[i].account = a; ok {
			out[i].AccountID, out[i].Username = a.ID, a.Username
		}
		if out[i].Outcome == "" {
			out[i].decide(sc, p, ok, linked)
		}
	}
	return out, s.markLinkedElsewhere(ctx, p, out)
}

// idKeyPrefix marks, among texts that are emails else, the id of an account.
const idKeyPrefix = "\x00"

// idKeyPrefix adds the accounts that pairs name by their ids.
func (s *Identities) addAccountsByID(ctx context.Context, sc access.Scope, pairs []Pair,
	accounts map[string]account.Account) error {
	for _, pair := range pairs {
		if pair.AccountID == "" {
			continue
		}
		a, err := s.Accounts.Get(ctx, sc, pair.AccountID)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if err == nil {
			accounts[idKeyPrefix+pair.AccountID] = a
		}
	}
	return nil
}

// markAmbiguous marks object ids that stand beside two emails and emails that stand beside two object ids: nobody can
// say which of them is right. The same pair twice is no harm.
func markAmbiguous(out []MatchResult, keys []string) {
	emails, ids := map[string]string{}, map[string]string{}
	ambiguous := map[string]bool{}
	for i := range out {
		if out[i].Outcome != "" {
			continue
		}
		email, id := keys[i], out[i].ObjectID
		if other, ok := ids[email]; ok && other != id {
			ambiguous["e"+email] = true
		}
		if other, ok := emails[id]; ok && other != email {
			ambiguous["o"+id] = true
		}
		ids[email], emails[id] = id, email
	}
	for i := range out {
		switch {
		case out[i].Outcome != "":
		case ambiguous["e"+keys[i]]:
			out[i].Outcome, out[i].Detail = TwoAccounts, "This email stands beside two object ids. Leave the wrong one out."
		case ambiguous["o"+out[i].ObjectID]:
			out[i].Outcome, out[i].Detail = TwoAccounts, "This object id stands beside two emails. Leave the wrong one out."
		}
	}
}

// decide says what linking would do, as far as the account and the identity tell.
func (m *MatchResult) decide(sc access.Scope, p Provider, found bool, identities map[string]FederatedIdentity) {
	identity, linked := identities[m.ObjectID]
	switch {
	case !found && m.Pair.AccountID != "":
		m.Outcome, m.Detail = NoSuchAccount, "There is no such account."
	case !found && linked:
		m.Outcome, m.Detail = LinkedToAnother,
			"No account has this email, and the object id is linked to an account with another."
	case !found:
		m.Outcome, m.Detail = NoSuchEmail,
			"No account has this email. Create the account, or correct the email on one of the two sides."
	case linked && identity.AccountID == m.AccountID:
		m.Outcome = AlreadyLinked
	case linked:
		m.Outcome, m.Detail = LinkedToAnother,
			"The object id is linked to another account at "+p.Name+". Remove that link first, if it is wrong."
	case checkMayLink(sc, m.account) != nil:
		m.Outcome, m.Detail = NotAllowed, fault.As(checkMayLink(sc, m.account)).Detail
	default:
		m.Outcome = Linkable
	}
}

// markLinkedElsewhere marks accounts that are linked to another identity at the provider.
func (s *Identities) markLinkedElsewhere(ctx context.Context, p Provider, out []MatchResult) error {
	for i := range out {
		if out[i].Outcome != Linkable || !out[i].account.LinkedTo(p.ID) {
			continue
		}
		identities, err := s.Store.IdentitiesOf(ctx, out[i].AccountID)
		if err != nil {
			return err
		}
		for _, identity := range identities {
			if identity.ProviderID == p.ID && identity.ObjectID != out[i].ObjectID {
				out[i].Outcome, out[i].Detail = LinkedToAnother,
					"The account is linked to another identity at "+p.Name+". Remove that link first, if it is wrong."
			}
		}
	}
	return nil
}

// LinkAll links what of the pairs can be linked, and says for each what became of it. One that cannot be linked keeps
// no other from it.
func (s *Identities) LinkAll(ctx context.Context, sc access.Scope, p Provider, pairs []Pair) ([]MatchResult, error) {
	out, err := s.Match(ctx, sc, p, pairs)
	if err != nil {
		return nil, err
	}
	var pending []int
	linkedIDs := map[string]string{}
	for i := range out {
		if out[i].Outcome != Linkable {
			continue
		}
		switch other, again := linkedIDs[out[i].AccountID]; {
		case again && other == out[i].ObjectID: // the same pair once more
			out[i].Outcome = AlreadyLinked
			continue
		case again:
			out[i].Outcome, out[i].Detail = TwoAccounts, "This account stands beside two object ids. Leave the wrong one out."
			continue
		}
		linkedIDs[out[i].AccountID] = out[i].ObjectID
		if out[i].AccountID != sc.Caller.AccountID {
			pending = append(pending, i)
			continue
		}
		// The caller's own account is looked at as the caller's by the transactions of the others, so it has one of its own.
		if err := s.linkBatch(ctx, sc, p, out, []int{i}); err != nil {
			return nil, err
		}
	}
	for len(pending) > 0 {
		n := min(len(pending), MaxPerTransaction)
		if err := s.linkBatch(ctx, sc, p, out, pending[:n]); err != nil {
			return nil, err
		}
		pending = pending[n:]
	}
	return out, nil
}

// linkBatch links some in one transaction, and one by one where that is refused.
func (s *Identities) linkBatch(ctx context.Context, sc access.Scope, p Provider, out []MatchResult,
	indexes []int) error {
	ws := make([]IdentityWrite, len(indexes))
	for i, at := range indexes {
		ws[i] = s.linkWrite(sc, p, out[at].account, out[at].ObjectID)
		if i > 0 {
			ws[i].CallerEpoch = 0 // one transaction looks at the caller once
		}
	}
	err := s.Store.WriteIdentities(ctx, ws)
	if err == nil {
		for _, at := range indexes {
			out[at].Outcome = LinkedNow
		}
		return nil
	}
	if !errors.Is(err, ErrConcurrentChange) {
		return err
	}
	for _, at := range indexes {
		_, err := s.Link(ctx, sc, out[at].AccountID, p.ID, out[at].ObjectID)
		switch refusal := fault.As(err); {
		case err == nil:
			out[at].Outcome = LinkedNow
		case refusal == nil:
			return err
		default:
			out[at].Outcome, out[at].Detail = LinkedToAnother, refusal.Detail
		}
	}
	return nil
}

// RemoveAll removes the links of accounts at a provider, and says for each what became of it.
func (s *Identities) RemoveAll(ctx context.Context, sc access.Scope, p Provider, accountIDs []string) ([]MatchResult,
	error) {
	out := make([]MatchResult, len(accountIDs))
	pending, seen := map[int]IdentityWrite{}, map[string]bool{}
	for i, id := range accountIDs {
		out[i] = MatchResult{AccountID: id, Outcome: NotLinked}
		if !seen[id] {
			seen[id] = true
			w, err := s.prepareRemoval(ctx, sc, p, &out[i])
			if err != nil {
				return nil, err
			}
			if w != nil {
				pending[i] = *w
			}
		}
		alone := id == sc.Caller.AccountID // as in LinkAll
		if len(pending) == MaxPerTransaction || len(pending) > 0 &&
			(i == len(accountIDs)-1 || alone || accountIDs[i+1] == sc.Caller.AccountID) {
			if err := s.removeBatch(ctx, sc, p, out, pending); err != nil {
				return nil, err
			}
			clear(pending)
		}
	}
	return out, nil
}

// prepareRemoval returns the write that removes an account's link, or says in m why there is none.
func (s *Identities) prepareRemoval(ctx context.Context, sc access.Scope, p Provider, m *MatchResult) (*IdentityWrite,
	error) {
	a, err := s.Accounts.Get(ctx, sc, m.AccountID)
	if fault.Is(err, fault.NotFound) {
		m.Outcome, m.Detail = NoSuchAccount, "There is no such account."
		return nil, nil //nolint:nilnil // nothing to remove is no error
	}
	if err != nil {
		return nil, err
	}
	m.Username = a.Username
	if err := checkMayLink(sc, a); err != nil {
		m.Outcome, m.Detail = NotAllowed, fault.As(err).Detail
		return nil, nil //nolint:nilnil // as above
	}
	identities, err := s.Store.IdentitiesOf(ctx, a.ID)
	for _, l := range identities {
		if l.ProviderID == p.ID {
			w := s.unlinkWrite(sc, p.Name, a, l)
			return &w, err
		}
	}
	return nil, err
}

// removeBatch removes some in one transaction, and one by one where that is refused.
func (s *Identities) removeBatch(ctx context.Context, sc access.Scope, p Provider, out []MatchResult,
	pending map[int]IdentityWrite) error {
	ws := slices.Collect(maps.Values(pending))
	for i := range ws[1:] {
		ws[1+i].CallerEpoch = 0 // one transaction looks at the caller once
	}
	batchErr := s.Store.WriteIdentities(ctx, ws)
	if batchErr != nil && !errors.Is(batchErr, ErrConcurrentChange) {
		return batchErr
	}
	for i := range pending {
		had := true
		if batchErr != nil {
			var err error
			if had, err = s.unlinkIfLinked(ctx, sc, out[i].AccountID, p.ID); fault.As(err) != nil {
				out[i].Outcome, out[i].Detail = NotAllowed, fault.As(err).Detail
				continue
			} else if err != nil {
				return err
			}
		}
		if had {
			out[i].Outcome = Removed
		}
	}
	return nil
}

package sso

import (
	"context"
	"errors"
	"maps"
	"slices"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/credential"
	"useraccounts/internal/fault"
)

// Outcome is the result, or the expected result, of linking or unlinking one pair of account and object id.
type Outcome string

// The outcomes. Only Linkable and LinkedNow stand for a new link.
const (
	Linkable        Outcome = "linkable"      // in a preview: it would be linked
	LinkedNow       Outcome = "linked"        // it was linked by this request
	AlreadyLinked   Outcome = "alreadyLinked" // it was linked before
	NoSuchEmail     Outcome = "noSuchEmail"   // no account has this email
	TwoAccounts     Outcome = "twoAccounts"   // the object id has two emails, or the email two object ids
	LinkedToAnother Outcome = "linkedToAnother"
	// NotAllowed is an account that the caller may not link, Unusable a pair with an invalid email or object id.
	NotAllowed Outcome = "notAllowed"
	Unusable   Outcome = "unusable"
	// NoSuchAccount is an unknown account id.
	NoSuchAccount Outcome = "noSuchAccount"
	// Removed and NotLinked are results of removing links.
	Removed   Outcome = "removed"
	NotLinked Outcome = "notLinked"
)

// Outcomes returns all outcomes.
func Outcomes() []Outcome {
	return []Outcome{
		Linkable, LinkedNow, AlreadyLinked, NoSuchEmail, TwoAccounts, LinkedToAnother, NotAllowed, Unusable,
		NoSuchAccount, Removed, NotLinked,
	}
}

// Pair is what the wizard links: an account, by its id or else its email, and the person's object id at the provider.
type Pair struct{ AccountID, Email, ObjectID string }

// MatchResult is a pair with its account and outcome.
type MatchResult struct {
	Pair
	Outcome Outcome
	// AccountID and Username are empty if no account has the email.
	AccountID, Username string
	// Detail says what prevents the link, and what to do.
	Detail string

	account account.Account
}

// MaxPairs is the maximum number of pairs in one call.
const MaxPairs = 1000

// Match returns for each pair what linking it would do. Nothing is written.
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
			out[i].Outcome, out[i].Detail = Unusable, "This is not a valid email."
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

// idKeyPrefix distinguishes account ids from emails among keys.
const idKeyPrefix = "\x00"

// addAccountsByID adds the accounts that pairs name by id.
func (s *Identities) addAccountsByID(ctx context.Context, sc access.Scope, pairs []Pair,
	accounts map[string]account.Account,
) error {
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

// markAmbiguous marks object ids with two emails and emails with two object ids: which one is right is unknown. A
// repeated pair is fine.
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
			out[i].Outcome, out[i].Detail = TwoAccounts, "This email has two object ids. Remove the wrong one."
		case ambiguous["o"+out[i].ObjectID]:
			out[i].Outcome, out[i].Detail = TwoAccounts, "This object id has two emails. Remove the wrong one."
		}
	}
}

// decide sets the outcome of linking, as far as the account and the identity determine it.
func (m *MatchResult) decide(sc access.Scope, p Provider, found bool, identities map[string]FederatedIdentity) {
	identity, linked := identities[m.ObjectID]
	switch {
	case !found && m.Pair.AccountID != "":
		m.Outcome, m.Detail = NoSuchAccount, "There is no such account."
	case !found && linked:
		m.Outcome, m.Detail = LinkedToAnother,
			"No account has this email, and the object id is linked to an account with another email."
	case !found:
		m.Outcome, m.Detail = NoSuchEmail,
			"No account has this email. Create the account, or correct the email here or at the provider."
	case linked && identity.AccountID == m.AccountID:
		m.Outcome = AlreadyLinked
	case linked:
		m.Outcome, m.Detail = LinkedToAnother,
			"The object id is linked to another account at "+p.Name+". If that link is wrong, remove it first."
	default:
		m.Outcome = Linkable
		if err := account.PermitsCredentialAct(sc, credential.LinkIdentity, m.account); err != nil {
			m.Outcome, m.Detail = NotAllowed, fault.As(err).Detail
		}
	}
}

// markLinkedElsewhere marks accounts with another identity at the provider.
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
					"The account is linked to another identity at "+p.Name+". If that link is wrong, remove it first."
			}
		}
	}
	return nil
}

// LinkAll links each pair that can be linked, and returns the outcome of each. A pair that cannot be linked does not
// prevent others.
func (s *Identities) LinkAll(ctx context.Context, sc access.Scope, p Provider, pairs []Pair) ([]MatchResult, error) {
	if err := credential.CheckProof(sc, s.Now()); err != nil {
		return nil, err
	}
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
		case again && other == out[i].ObjectID: // a repeated pair
			out[i].Outcome = AlreadyLinked
			continue
		case again:
			out[i].Outcome, out[i].Detail = TwoAccounts, "This account has two object ids. Remove the wrong one."
			continue
		}
		linkedIDs[out[i].AccountID] = out[i].ObjectID
		pending = append(pending, i)
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

// linkBatch links some pairs in one transaction, or one by one if that fails.
func (s *Identities) linkBatch(ctx context.Context, sc access.Scope, p Provider, out []MatchResult,
	indexes []int,
) error {
	ws := make([]IdentityWrite, len(indexes))
	for i, at := range indexes {
		ws[i] = s.linkWrite(sc, p, out[at].account, out[at].ObjectID)
		if i > 0 {
			ws[i].CallerEpoch = 0 // a transaction may have one condition per item
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

// RemoveAll removes the links of accounts at a provider, and returns the outcome of each.
func (s *Identities) RemoveAll(ctx context.Context, sc access.Scope, p Provider, accountIDs []string) ([]MatchResult,
	error,
) {
	if err := credential.CheckProof(sc, s.Now()); err != nil {
		return nil, err
	}
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
		if len(pending) == MaxPerTransaction || len(pending) > 0 && i == len(accountIDs)-1 {
			if err := s.removeBatch(ctx, sc, p, out, pending); err != nil {
				return nil, err
			}
			clear(pending)
		}
	}
	return out, nil
}

// prepareRemoval returns the write that removes an account's link, or sets the outcome of m if there is none.
func (s *Identities) prepareRemoval(ctx context.Context, sc access.Scope, p Provider, m *MatchResult) (*IdentityWrite,
	error,
) {
	a, err := s.Accounts.Get(ctx, sc, m.AccountID)
	if fault.Is(err, fault.NotFound) {
		m.Outcome, m.Detail = NoSuchAccount, "There is no such account."
		return nil, nil //nolint:nilnil // nothing to remove is no error
	}
	if err != nil {
		return nil, err
	}
	m.Username = a.Username
	if err := account.PermitsCredentialAct(sc, credential.UnlinkIdentity, a); err != nil {
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

// removeBatch removes some links in one transaction, or one by one if that fails.
func (s *Identities) removeBatch(ctx context.Context, sc access.Scope, p Provider, out []MatchResult,
	pending map[int]IdentityWrite,
) error {
	ws := slices.Collect(maps.Values(pending))
	for i := range ws[1:] {
		ws[1+i].CallerEpoch = 0 // a transaction may have one condition per item
	}
	batchErr := s.Store.WriteIdentities(ctx, ws)
	if batchErr != nil && !errors.Is(batchErr, ErrConcurrentChange) {
		return batchErr
	}
	for i := range pending {
		linked := true
		if batchErr != nil {
			var err error
			if linked, err = s.unlinkIfLinked(ctx, sc, out[i].AccountID, p.ID); fault.As(err) != nil {
				out[i].Outcome, out[i].Detail = NotAllowed, fault.As(err).Detail
				continue
			} else if err != nil {
				return err
			}
		}
		if linked {
			out[i].Outcome = Removed
		}
	}
	return nil
}

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
	Linkable      Outcome = "linkable"      // a preview: it would be linked
	LinkedNow     Outcome = "linked"        // it was linked by this
	AlreadyLinked Outcome = "alreadyLinked" // it was so before
	NoSuchEmail   Outcome = "noSuchEmail"   // no account has this email
	TwoAccounts   Outcome = "twoAccounts"   // the object id stands beside two emails, or the email beside two object ids
	LinkedOther   Outcome = "linkedToAnother"
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
	return []Outcome{Linkable, LinkedNow, AlreadyLinked, NoSuchEmail, TwoAccounts, LinkedOther, NotAllowed, Unusable, NoSuchAccount, Removed, NotLinked}
}

// Pair is what the wizard links: an account by its id, or else by somebody's email, and the id that the provider knows them by.
type Pair struct{ AccountID, Email, ObjectID string }

// Matched is a pair with the account that has its email.
type Matched struct {
	Pair
	Outcome Outcome
	// AccountID and Username are empty where no account has the email.
	AccountID, Username string
	// Detail says what stands in the way, and what to do.
	Detail string

	account account.Account
}

// MostPairs is how many pairs are matched, or linked, in one call.
const MostPairs = 1000

// Match says for each pair what linking it would do. Nothing is written.
func (s *Links) Match(ctx context.Context, sc access.Scope, p Provider, pairs []Pair) ([]Matched, error) {
	out := make([]Matched, len(pairs))
	emails, ids := make([]string, 0, len(pairs)), make([]string, 0, len(pairs))
	normal := make([]string, len(pairs))
	for i, pair := range pairs {
		out[i].Pair = pair
		email, ok := account.Normalise(pair.Email)
		id, bad := cleanObjectID(pair.ObjectID)
		switch {
		case bad == nil && pair.AccountID != "":
			normal[i], out[i].ObjectID = byID+pair.AccountID, id
			ids = append(ids, id)
		case !ok || !account.IsEmail(email):
			out[i].Outcome, out[i].Detail = Unusable, "This is not an email."
		case bad != nil:
			out[i].Outcome, out[i].Detail = Unusable, bad.Message
		default:
			normal[i], out[i].ObjectID = email, id
			emails, ids = append(emails, email), append(ids, id)
		}
	}
	twice(out, normal)
	found, err := s.Store.ByEmail(ctx, sc.Env, emails)
	if err != nil {
		return nil, err
	}
	if err := s.byID(ctx, sc, pairs, found); err != nil {
		return nil, err
	}
	whose, err := s.Store.Whose(ctx, sc.Env.ID, p.ID, ids)
	if err != nil {
		return nil, err
	}
	for i := range out {
		if out[i].Outcome != "" && out[i].Outcome != TwoAccounts {
			continue
		}
		a, ok := found[normal[i]]
		if out[i].account = a; ok {
			out[i].AccountID, out[i].Username = a.ID, a.Username
		}
		if out[i].Outcome == "" {
			out[i].judge(sc, p, ok, whose)
		}
	}
	return out, s.hindered(ctx, p, out)
}

// byID marks, among texts that are emails else, the id of an account.
const byID = "\x00"

// byID adds the accounts that pairs name by their ids.
func (s *Links) byID(ctx context.Context, sc access.Scope, pairs []Pair, found map[string]account.Account) error {
	for _, pair := range pairs {
		if pair.AccountID == "" {
			continue
		}
		a, err := s.Accounts.Get(ctx, sc, pair.AccountID)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if err == nil {
			found[byID+pair.AccountID] = a
		}
	}
	return nil
}

// twice marks object ids that stand beside two emails and emails that stand beside two object ids: nobody can say which of
// them is right. The same pair twice is no harm.
func twice(out []Matched, normal []string) {
	emails, ids := map[string]string{}, map[string]string{}
	bad := map[string]bool{}
	for i := range out {
		if out[i].Outcome != "" {
			continue
		}
		email, id := normal[i], out[i].ObjectID
		if other, ok := ids[email]; ok && other != id {
			bad["e"+email] = true
		}
		if other, ok := emails[id]; ok && other != email {
			bad["o"+id] = true
		}
		ids[email], emails[id] = id, email
	}
	for i := range out {
		switch {
		case out[i].Outcome != "":
		case bad["e"+normal[i]]:
			out[i].Outcome, out[i].Detail = TwoAccounts, "This email stands beside two object ids. Leave the wrong one out."
		case bad["o"+out[i].ObjectID]:
			out[i].Outcome, out[i].Detail = TwoAccounts, "This object id stands beside two emails. Leave the wrong one out."
		}
	}
}

// judge says what linking would do, as far as the account and the identity tell.
func (m *Matched) judge(sc access.Scope, p Provider, found bool, whose map[string]Link) {
	had, linked := whose[m.ObjectID]
	switch {
	case !found && m.Pair.AccountID != "":
		m.Outcome, m.Detail = NoSuchAccount, "There is no such account."
	case !found && linked:
		m.Outcome, m.Detail = LinkedOther, "No account has this email, and the object id is linked to an account with another."
	case !found:
		m.Outcome, m.Detail = NoSuchEmail, "No account has this email. Create the account, or correct the email on one of the two sides."
	case linked && had.AccountID == m.AccountID:
		m.Outcome = AlreadyLinked
	case linked:
		m.Outcome, m.Detail = LinkedOther, "The object id is linked to another account at "+p.Name+". Remove that link first, if it is wrong."
	case mayLink(sc, m.account) != nil:
		m.Outcome, m.Detail = NotAllowed, fault.As(mayLink(sc, m.account)).Detail
	default:
		m.Outcome = Linkable
	}
}

// hindered marks accounts that are linked to another identity at the provider.
func (s *Links) hindered(ctx context.Context, p Provider, out []Matched) error {
	for i := range out {
		if out[i].Outcome != Linkable || !out[i].account.LinkedAt(p.ID) {
			continue
		}
		of, err := s.Store.LinksOf(ctx, out[i].AccountID)
		if err != nil {
			return err
		}
		for _, had := range of {
			if had.ProviderID == p.ID && had.ObjectID != out[i].ObjectID {
				out[i].Outcome, out[i].Detail = LinkedOther, "The account is linked to another identity at "+p.Name+". Remove that link first, if it is wrong."
			}
		}
	}
	return nil
}

// LinkAll links what of the pairs can be linked, and says for each what became of it. One that cannot be linked keeps no other
// from it.
func (s *Links) LinkAll(ctx context.Context, sc access.Scope, p Provider, pairs []Pair) ([]Matched, error) {
	out, err := s.Match(ctx, sc, p, pairs)
	if err != nil {
		return nil, err
	}
	var waiting []int
	taken := map[string]string{}
	for i := range out {
		if out[i].Outcome != Linkable {
			continue
		}
		switch other, again := taken[out[i].AccountID]; {
		case again && other == out[i].ObjectID: // the same pair once more
			out[i].Outcome = AlreadyLinked
			continue
		case again:
			out[i].Outcome, out[i].Detail = TwoAccounts, "This account stands beside two object ids. Leave the wrong one out."
			continue
		}
		taken[out[i].AccountID] = out[i].ObjectID
		if out[i].AccountID != sc.Caller.AccountID {
			waiting = append(waiting, i)
			continue
		}
		// The caller's own account is looked at as the caller's by the transactions of the others, so it has one of its own.
		if err := s.linkTogether(ctx, sc, p, out, []int{i}); err != nil {
			return nil, err
		}
	}
	for len(waiting) > 0 {
		n := min(len(waiting), MostTogether)
		if err := s.linkTogether(ctx, sc, p, out, waiting[:n]); err != nil {
			return nil, err
		}
		waiting = waiting[n:]
	}
	return out, nil
}

// linkTogether links some in one transaction, and one by one where that is refused.
func (s *Links) linkTogether(ctx context.Context, sc access.Scope, p Provider, out []Matched, which []int) error {
	ws := make([]LinkWrite, len(which))
	for i, at := range which {
		ws[i] = s.write(sc, p, out[at].account, out[at].ObjectID)
		if i > 0 {
			ws[i].CallerEpoch = 0 // one transaction looks at the caller once
		}
	}
	err := s.Store.WriteLinks(ctx, ws)
	if err == nil {
		for _, at := range which {
			out[at].Outcome = LinkedNow
		}
		return nil
	}
	if !errors.Is(err, ErrRaced) {
		return err
	}
	for _, at := range which {
		_, err := s.Link(ctx, sc, out[at].AccountID, p.ID, out[at].ObjectID)
		switch told := fault.As(err); {
		case err == nil:
			out[at].Outcome = LinkedNow
		case told == nil:
			return err
		default:
			out[at].Outcome, out[at].Detail = LinkedOther, told.Detail
		}
	}
	return nil
}

// RemoveAll removes the links of accounts at a provider, and says for each what became of it.
func (s *Links) RemoveAll(ctx context.Context, sc access.Scope, p Provider, accountIDs []string) ([]Matched, error) {
	out := make([]Matched, len(accountIDs))
	waiting, seen := map[int]LinkWrite{}, map[string]bool{}
	for i, id := range accountIDs {
		out[i] = Matched{AccountID: id, Outcome: NotLinked}
		if !seen[id] {
			seen[id] = true
			w, err := s.removal(ctx, sc, p, &out[i])
			if err != nil {
				return nil, err
			}
			if w != nil {
				waiting[i] = *w
			}
		}
		alone := id == sc.Caller.AccountID // as in LinkAll
		if len(waiting) == MostTogether || len(waiting) > 0 && (i == len(accountIDs)-1 || alone || accountIDs[i+1] == sc.Caller.AccountID) {
			if err := s.removeTogether(ctx, sc, p, out, waiting); err != nil {
				return nil, err
			}
			clear(waiting)
		}
	}
	return out, nil
}

// removal returns the write that removes an account's link, or says in m why there is none.
func (s *Links) removal(ctx context.Context, sc access.Scope, p Provider, m *Matched) (*LinkWrite, error) {
	a, err := s.Accounts.Get(ctx, sc, m.AccountID)
	if fault.Is(err, fault.NotFound) {
		m.Outcome, m.Detail = NoSuchAccount, "There is no such account."
		return nil, nil //nolint:nilnil // nothing to remove is no error
	}
	if err != nil {
		return nil, err
	}
	m.Username = a.Username
	if err := mayLink(sc, a); err != nil {
		m.Outcome, m.Detail = NotAllowed, fault.As(err).Detail
		return nil, nil //nolint:nilnil // as above
	}
	of, err := s.Store.LinksOf(ctx, a.ID)
	for _, l := range of {
		if l.ProviderID == p.ID {
			w := s.unwrite(sc, p.Name, a, l)
			return &w, err
		}
	}
	return nil, err
}

// removeTogether removes some in one transaction, and one by one where that is refused.
func (s *Links) removeTogether(ctx context.Context, sc access.Scope, p Provider, out []Matched, waiting map[int]LinkWrite) error {
	ws := slices.Collect(maps.Values(waiting))
	for i := range ws[1:] {
		ws[1+i].CallerEpoch = 0 // one transaction looks at the caller once
	}
	together := s.Store.WriteLinks(ctx, ws)
	if together != nil && !errors.Is(together, ErrRaced) {
		return together
	}
	for i := range waiting {
		had := true
		if together != nil {
			var err error
			if had, err = s.removed(ctx, sc, out[i].AccountID, p.ID); fault.As(err) != nil {
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

package account

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

// Action is what a bulk action does to each of its accounts.
type Action string

// The bulk actions.
const (
	BulkAllow               Action = "allow"
	BulkBlock               Action = "block"
	BulkLock                Action = "lock"
	BulkUnlock              Action = "unlock"
	BulkResetTries          Action = "resetTries"
	BulkForcePasswordChange Action = "forcePasswordChange"
	BulkAddRoles            Action = "addRoles"
	BulkRemoveRoles         Action = "removeRoles"
	BulkAddGroups           Action = "addGroups"
	BulkRemoveGroups        Action = "removeGroups"
)

// Bulk is one action on many accounts.
type Bulk struct {
	Action Action
	// Reason is block's, Roles and Groups those of the actions named after them.
	Reason        string
	Roles, Groups []string
	// Preview works everything out and writes nothing.
	Preview bool
}

// Result is what became of one account of a bulk action.
type Result string

// The results. In a preview, Done means that the account would be changed.
const (
	Done      Result = "ok"
	Unchanged Result = "unchanged"
	Problem   Result = "problem"
)

// Outcome is the result for one account.
type Outcome struct {
	ID       string
	Username string
	Result   Result
	// Fault says what the problem is; Trouble is its cause where that is none of the caller's business.
	Fault   *fault.Error
	Trouble error
}

// deed is how an action is done to one account, and what permission it needs.
type deed struct {
	needs access.Permission
	do    func(ctx context.Context, s *Service, sc access.Scope, b Bulk, id string) (Account, error)
	// codes is the field whose codes the action adds or removes.
	codes  string
	remove bool
}

// deedOf returns what an action is; none is known without a permission.
func deedOf(a Action) deed {
	switch a {
	case BulkAllow:
		return deed{needs: access.AccountBlock, do: simple((*Service).Allow)}
	case BulkBlock:
		return deed{needs: access.AccountBlock, do: func(ctx context.Context, s *Service, sc access.Scope, b Bulk, id string) (Account, error) {
			return s.Block(ctx, sc, id, 0, b.Reason)
		}}
	case BulkLock:
		return deed{needs: access.AccountLock, do: simple((*Service).Lock)}
	case BulkUnlock:
		return deed{needs: access.AccountLock, do: simple((*Service).Unlock)}
	case BulkResetTries:
		return deed{needs: access.AccountBlock, do: simple((*Service).ResetTries)}
	case BulkForcePasswordChange:
		return deed{needs: access.AccountPassword, do: simple((*Service).ForcePasswordChange)}
	case BulkAddRoles:
		return deed{needs: access.AccountUpdate, codes: "roles", do: recode}
	case BulkRemoveRoles:
		return deed{needs: access.AccountUpdate, codes: "roles", remove: true, do: recode}
	case BulkAddGroups:
		return deed{needs: access.AccountUpdate, codes: "groups", do: recode}
	case BulkRemoveGroups:
		return deed{needs: access.AccountUpdate, codes: "groups", remove: true, do: recode}
	}
	return deed{}
}

func simple(method func(*Service, context.Context, access.Scope, string, int64) (Account, error)) func(context.Context, *Service, access.Scope, Bulk, string) (Account, error) {
	return func(ctx context.Context, s *Service, sc access.Scope, _ Bulk, id string) (Account, error) {
		return method(s, ctx, sc, id, 0)
	}
}

// codes returns the codes that the action adds or removes.
func (b Bulk) codes() []string {
	if deedOf(b.Action).codes == "groups" {
		return b.Groups
	}
	return b.Roles
}

// recode adds codes to a field of an account as it is at the moment, or removes them, by the rules of a change.
func recode(ctx context.Context, s *Service, sc access.Scope, b Bulk, id string) (Account, error) {
	d := deedOf(b.Action)
	return s.edit(ctx, sc, id, 0, func(before Account) (Write, error) {
		have, _ := Fields().Value(&before, d.codes).([]string)
		rest := slices.DeleteFunc(slices.Clone(have), func(code string) bool { return d.remove && hasCode(b.codes(), code) })
		for _, code := range b.codes() {
			if !d.remove && !hasCode(have, code) {
				rest = append(rest, code)
			}
		}
		if len(rest) == len(have) {
			return Write{}, nil
		}
		return s.changed(sc, before, field.Patch{d.codes: rest})
	})
}

func hasCode(codes []string, code string) bool {
	return slices.ContainsFunc(codes, func(c string) bool { return catalogue.Fold(c) == catalogue.Fold(code) })
}

// Check returns why the caller may not do a bulk action at all, or what is wrong with it whatever the account.
func (b Bulk) Check(sc access.Scope) error {
	d := deedOf(b.Action)
	if d.needs == "" {
		return fault.InvalidFields([]fault.Field{{Field: "action", Code: "choice", Message: "There is no such action."}})
	}
	if !sc.Caller.May(d.needs) {
		return fault.New(fault.Forbidden, "forbidden", "The action %s needs the permission %s, which you do not hold.", b.Action, d.needs)
	}
	var bad []fault.Field
	refuse := func(name, code, message string) {
		bad = append(bad, fault.Field{Field: "arguments." + name, Code: code, Message: message})
	}
	reason, f := Fields().Find("lockedReason").Clean(b.Reason)
	if f != nil {
		refuse("reason", f.Code, f.Message)
	}
	for name, given := range map[string]bool{"reason": reason != "" || f != nil, "roles": len(b.Roles) > 0, "groups": len(b.Groups) > 0} {
		takes := name == d.codes || name == "reason" && b.Action == BulkBlock
		switch {
		case given && !takes:
			refuse(name, "unexpected", "The action "+string(b.Action)+" takes none; leave it out.")
		case !given && takes:
			refuse(name, "required", "The action "+string(b.Action)+" needs this.")
		}
	}
	if kind := map[string]catalogue.Kind{"roles": catalogue.Role, "groups": catalogue.Group}[d.codes]; kind != "" && !d.remove {
		if _, unknown := sc.Catalogue.Resolve(kind, b.codes()); len(unknown) > 0 {
			refuse(d.codes, "unknownCode", "There is no active code "+quote(unknown[0])+" here.")
		}
	}
	slices.SortFunc(bad, func(x, y fault.Field) int { return strings.Compare(x.Field, y.Field) })
	return fault.InvalidFields(bad)
}

// atOnce is how many accounts are worked on at a time: enough to hide the store's round trips, few enough that writes which
// check the caller's own access seldom meet there.
const atOnce = 4

// codeLater is the problem of an account that there was no time left for.
const codeLater = "later"

// spare is how long before the caller's deadline the last accounts are begun.
const spare = 6 * time.Second

// Each does a bulk action to each account of the ids, independently, by the method and the guards of the single action. What
// there is no time left for is the last outcomes, with the problem "later".
func (s *Service) Each(ctx context.Context, sc access.Scope, b Bulk, ids []string) []Outcome {
	out, _ := s.each(ctx, sc, b, ids, nil)
	return out
}

// each is Each after taken seats of a preview, and returns those with what it took.
func (s *Service) each(ctx context.Context, sc access.Scope, b Bulk, ids []string, taken map[string]int64) ([]Outcome, map[string]int64) {
	out := make([]Outcome, len(ids))
	next := make(chan int)
	seats := &ledger{taken: maps.Clone(taken), used: sync.OnceValues(func() (map[string]int64, error) { return s.Seats.Seats(ctx, sc.Env.ID) })}
	var wg sync.WaitGroup
	for range min(atOnce, len(ids)) {
		wg.Go(func() {
			for i := range next {
				out[i] = s.one(ctx, sc, b, ids[i], seats)
			}
		})
	}
	deadline, limited := ctx.Deadline()
	for i, id := range ids {
		if limited && s.Now().Add(spare).After(deadline) {
			out[i] = Outcome{ID: id, Result: Problem, Fault: fault.New(fault.Unavailable, codeLater, "There was no time left for this account; send it again.")}
			continue
		}
		next <- i
	}
	close(next)
	wg.Wait()
	return out, seats.taken
}

// one does the action to one account. A copy of the service with a store that looks on tells what was written.
func (s *Service) one(ctx context.Context, sc access.Scope, b Bulk, id string, seats *ledger) Outcome {
	looking := &onlooker{Store: s.Store, preview: b.Preview, seats: seats}
	own := *s
	own.Store = looking
	a, err := deedOf(b.Action).do(ctx, &own, sc, b, id)
	out := Outcome{ID: id, Username: a.Username, Result: Unchanged}
	if out.Username == "" {
		out.Username = looking.username
	}
	switch {
	case err != nil:
		out.Result, out.Fault = Problem, fault.As(err)
		if out.Fault == nil {
			out.Fault, out.Trouble = fault.New(fault.Internal, "internal", "Something went wrong here; try this account again."), err
		}
	case looking.wrote:
		out.Result = Done
	}
	return out
}

// ledger counts the seats that the accounts of a preview would take, on top of those in use when it began.
type ledger struct {
	mu    sync.Mutex
	used  func() (map[string]int64, error)
	taken map[string]int64
}

// take notes the seats that a write would take and give back, or returns the conflict that it would meet.
func (l *ledger) take(changes []SeatChange) error {
	if len(changes) == 0 {
		return nil
	}
	used, err := l.used()
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range changes {
		if have := max(0, used[c.Licence]) + l.taken[c.Licence]; !c.Fits(have) {
			return NoSeat(c, have)
		}
	}
	if l.taken == nil {
		l.taken = map[string]int64{}
	}
	for _, c := range changes {
		l.taken[c.Licence] += c.By
	}
	return nil
}

// onlooker is a store that notes what becomes of one account, and in a preview keeps writes to itself.
type onlooker struct {
	Store
	preview  bool
	seats    *ledger
	wrote    bool
	username string
}

// Account implements Store.
func (o *onlooker) Account(ctx context.Context, env environment.Environment, id string) (Account, error) {
	a, err := o.Store.Account(ctx, env, id)
	if err == nil {
		o.username = a.Username
	}
	return a, err
}

// Write implements Store.
func (o *onlooker) Write(ctx context.Context, env environment.Environment, w Write) error {
	var err error
	if o.preview {
		err = o.seats.take(w.SeatChanges())
	} else {
		err = o.Store.Write(ctx, env, w)
	}
	o.wrote = err == nil
	return err
}

// Matching is a part of the accounts that a bulk action over all that match came to.
type Matching struct {
	Outcomes []Outcome
	// Next is where to go on, nil at the end, and Left how many match after it.
	Next *Mark
	Left int
	// Taken are the seats that the accounts so far would take and give back, by licence, in a preview: the next part counts
	// on from there, as nothing is written in between.
	Taken map[string]int64
}

// EachMatching does a bulk action to the first accounts after a place, in the order of usernames, that pass a filter. It goes
// by the place, not by what still matches: an action that makes accounts match no more skips none.
func (s *Service) EachMatching(ctx context.Context, sc access.Scope, b Bulk, q Search, taken map[string]int64) (Matching, error) {
	q.Order = Order{}
	marks, total, err := s.first(ctx, sc, q)
	if err != nil {
		return Matching{}, err
	}
	marks = marks[:min(q.Limit, len(marks))]
	keys := make([]string, len(marks))
	for i, mark := range marks {
		keys[i] = mark.Key
	}
	accounts, err := s.Directory.At(ctx, sc.Env, keys)
	if err != nil {
		return Matching{}, err
	}
	accounts = slices.DeleteFunc(accounts, func(a Account) bool { return !q.Filter.passes(a.Presented()) })
	ids := make([]string, len(accounts))
	for i, a := range accounts {
		ids[i] = a.ID
	}
	m := Matching{Left: total - len(marks)}
	m.Outcomes, m.Taken = s.each(ctx, sc, b, ids, taken)
	if m.Left > 0 {
		m.Next = &marks[len(marks)-1]
	}
	late := slices.IndexFunc(m.Outcomes, func(o Outcome) bool { return o.Fault != nil && o.Fault.Code == codeLater })
	if late == 0 {
		return Matching{}, fault.New(fault.Unavailable, "busy", "There was no time to begin; send the request again.").After(time.Second)
	}
	if late > 0 {
		m.Next, m.Left = &Mark{Key: accounts[late-1].DirectoryKey()}, m.Left+len(m.Outcomes)-late
		m.Outcomes = m.Outcomes[:late]
	}
	return m, nil
}

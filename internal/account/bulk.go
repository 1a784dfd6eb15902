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

// BulkAction is what a bulk action does to each of its accounts.
type BulkAction string

// The bulk actions.
const (
	BulkAllow               BulkAction = "allow"
	BulkBlock               BulkAction = "block"
	BulkLock                BulkAction = "lock"
	BulkUnlock              BulkAction = "unlock"
	BulkResetTries          BulkAction = "resetTries"
	BulkForcePasswordChange BulkAction = "forcePasswordChange"
	BulkAddRoles            BulkAction = "addRoles"
	BulkRemoveRoles         BulkAction = "removeRoles"
	BulkAddGroups           BulkAction = "addGroups"
	BulkRemoveGroups        BulkAction = "removeGroups"
)

// BulkRequest is one action on many accounts.
type BulkRequest struct {
	Action BulkAction
	// Reason is block's, Roles and Groups those of the actions named after them.
	Reason        string
	Roles, Groups []string
	// Preview works everything out and writes nothing.
	Preview bool
}

// BulkResult is what became of one account of a bulk action.
type BulkResult string

// The results. In a preview, Done means that the account would be changed.
const (
	BulkChanged   BulkResult = "ok"
	BulkUnchanged BulkResult = "unchanged"
	BulkProblem   BulkResult = "problem"
)

// BulkOutcome is the result for one account.
type BulkOutcome struct {
	ID       string
	Username string
	Result   BulkResult
	// Fault says what the problem is; Trouble is its cause where that is none of the caller's business.
	Fault *fault.Error
	Cause error
}

// operation is how an action is done to one account, and what permission it needs.
type operation struct {
	permission access.Permission
	run        func(ctx context.Context, s *Service, sc access.Scope, b BulkRequest, id string) (Account, error)
	// codes is the field whose codes the action adds or removes.
	codes  string
	remove bool
}

// operationOf returns what an action is; none is known without a permission.
func operationOf(a BulkAction) operation {
	switch a {
	case BulkAllow:
		return operation{permission: access.AccountBlock, run: withoutArguments((*Service).Allow)}
	case BulkBlock:
		return operation{permission: access.AccountBlock,
			run: func(ctx context.Context, s *Service, sc access.Scope, b BulkRequest, id string) (Account, error) {
				return s.Block(ctx, sc, id, 0, b.Reason)
			}}
	case BulkLock:
		return operation{permission: access.AccountLock, run: withoutArguments((*Service).Lock)}
	case BulkUnlock:
		return operation{permission: access.AccountLock, run: withoutArguments((*Service).Unlock)}
	case BulkResetTries:
		return operation{permission: access.AccountBlock, run: withoutArguments((*Service).ResetTries)}
	case BulkForcePasswordChange:
		return operation{permission: access.AccountPassword, run: withoutArguments((*Service).ForcePasswordChange)}
	case BulkAddRoles:
		return operation{permission: access.AccountUpdate, codes: "roles", run: changeCodes}
	case BulkRemoveRoles:
		return operation{permission: access.AccountUpdate, codes: "roles", remove: true, run: changeCodes}
	case BulkAddGroups:
		return operation{permission: access.AccountUpdate, codes: "groups", run: changeCodes}
	case BulkRemoveGroups:
		return operation{permission: access.AccountUpdate, codes: "groups", remove: true, run: changeCodes}
	}
	return operation{}
}

func withoutArguments(method func(*Service, context.Context, access.Scope, string, int64) (Account, error)) func(
	context.Context, *Service, access.Scope, BulkRequest, string) (Account, error) {
	return func(ctx context.Context, s *Service, sc access.Scope, _ BulkRequest, id string) (Account, error) {
		return method(s, ctx, sc, id, 0)
	}
}

// codes returns the codes that the action adds or removes.
func (b BulkRequest) codes() []string {
	if operationOf(b.Action).codes == "groups" {
		return b.Groups
	}
	return b.Roles
}

// changeCodes adds codes to a field of an account as it is at the moment, or removes them, by the rules of a change.
func changeCodes(ctx context.Context, s *Service, sc access.Scope, b BulkRequest, id string) (Account, error) {
	op := operationOf(b.Action)
	return s.update(ctx, sc, id, 0, func(before Account) (Write, error) {
		have, _ := Fields().Value(&before, op.codes).([]string)
		rest := slices.DeleteFunc(slices.Clone(have), func(code string) bool { return op.remove && hasCode(b.codes(), code) })
		for _, code := range b.codes() {
			if !op.remove && !hasCode(have, code) {
				rest = append(rest, code)
			}
		}
		if len(rest) == len(have) {
			return Write{}, nil
		}
		return s.changeWrite(sc, before, field.Patch{op.codes: rest})
	})
}

func hasCode(codes []string, code string) bool {
	return slices.ContainsFunc(codes, func(c string) bool { return catalogue.Fold(c) == catalogue.Fold(code) })
}

// Check returns why the caller may not do a bulk action at all, or what is wrong with it whatever the account.
func (b BulkRequest) Check(sc access.Scope) error {
	op := operationOf(b.Action)
	if op.permission == "" {
		return fault.InvalidFields([]fault.Field{{Field: "action", Code: "choice", Message: "There is no such action."}})
	}
	if !sc.Caller.May(op.permission) {
		return fault.New(fault.Forbidden, "forbidden", "The action %s needs the permission %s, which you do not hold.",
			b.Action, op.permission)
	}
	var bad []fault.Field
	refuse := func(name, code, message string) {
		bad = append(bad, fault.Field{Field: "arguments." + name, Code: code, Message: message})
	}
	reason, f := Fields().Find("lockedReason").Clean(b.Reason)
	if f != nil {
		refuse("reason", f.Code, f.Message)
	}
	for name, given := range map[string]bool{"reason": reason != "" || f != nil, "roles": len(b.Roles) > 0,
		"groups": len(b.Groups) > 0} {
		accepts := name == op.codes || name == "reason" && b.Action == BulkBlock
		switch {
		case given && !accepts:
			refuse(name, "unexpected", "The action "+string(b.Action)+" takes none; leave it out.")
		case !given && accepts:
			refuse(name, "required", "The action "+string(b.Action)+" needs this.")
		}
	}
	if kind := map[string]catalogue.Kind{"roles": catalogue.Role, "groups": catalogue.Group}[op.codes]; kind != "" &&
		!op.remove {
		if _, unknown := sc.Catalogue.Resolve(kind, b.codes()); len(unknown) > 0 {
			refuse(op.codes, "unknownCode", "There is no active code "+quote(unknown[0])+" here.")
		}
	}
	slices.SortFunc(bad, func(x, y fault.Field) int { return strings.Compare(x.Field, y.Field) })
	return fault.InvalidFields(bad)
}

// bulkConcurrency is how many accounts are worked on at a time: enough to hide the store's round trips, few enough that
// writes which check the caller's own access seldom meet there.
const bulkConcurrency = 4

// codeLater is the problem of an account that there was no time left for.
const codeLater = "later"

// bulkDeadlineMargin is how long before the caller's deadline the last accounts are begun.
const bulkDeadlineMargin = 6 * time.Second

// RunBulk does a bulk action to each account of the ids, independently, by the method and the guards of the single
// action. What there is no time left for is the last outcomes, with the problem "later".
func (s *Service) RunBulk(ctx context.Context, sc access.Scope, b BulkRequest, ids []string) []BulkOutcome {
	out, _ := s.runBulk(ctx, sc, b, ids, nil)
	return out
}

// runBulk is Each after taken seats of a preview, and returns those with what it took.
func (s *Service) runBulk(ctx context.Context, sc access.Scope, b BulkRequest, ids []string,
	reserved map[string]int64) ([]BulkOutcome, map[string]int64) {
	out := make([]BulkOutcome, len(ids))
	next := make(chan int)
	seats := &seatReservations{reserved: maps.Clone(reserved),
		used: sync.OnceValues(func() (map[string]int64, error) { return s.Seats.Seats(ctx, sc.Env.ID) })}
	var wg sync.WaitGroup
	for range min(bulkConcurrency, len(ids)) {
		wg.Go(func() {
			for i := range next {
				out[i] = s.runBulkOne(ctx, sc, b, ids[i], seats)
			}
		})
	}
	deadline, limited := ctx.Deadline()
	for i, id := range ids {
		if limited && s.Now().Add(bulkDeadlineMargin).After(deadline) {
			out[i] = BulkOutcome{ID: id, Result: BulkProblem,
				Fault: fault.New(fault.Unavailable, codeLater, "There was no time left for this account; send it again.")}
			continue
		}
		next <- i
	}
	close(next)
	wg.Wait()
	return out, seats.reserved
}

// runBulkOne does the action to one account. A copy of the service with a store that looks on tells what was written.
func (s *Service) runBulkOne(ctx context.Context, sc access.Scope, b BulkRequest, id string,
	seats *seatReservations) BulkOutcome {
	recorder := &recordingStore{Store: s.Store, preview: b.Preview, reservations: seats}
	own := *s
	own.Store = recorder
	a, err := operationOf(b.Action).run(ctx, &own, sc, b, id)
	out := BulkOutcome{ID: id, Username: a.Username, Result: BulkUnchanged}
	if out.Username == "" {
		out.Username = recorder.username
	}
	switch {
	case err != nil:
		out.Result, out.Fault = BulkProblem, fault.As(err)
		if out.Fault == nil {
			out.Fault, out.Cause = fault.New(fault.Internal, "internal", "Something went wrong here; try this account again."),
				err
		}
	case recorder.wrote:
		out.Result = BulkChanged
	}
	return out
}

// seatReservations counts the seats that the accounts of a preview would take, on top of those in use when it began.
type seatReservations struct {
	mu       sync.Mutex
	used     func() (map[string]int64, error)
	reserved map[string]int64
}

// reserve notes the seats that a write would take and give back, or returns the conflict that it would meet.
func (l *seatReservations) reserve(changes []SeatChange) error {
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
		if have := max(0, used[c.Licence]) + l.reserved[c.Licence]; !c.Fits(have) {
			return NoSeat(c, have)
		}
	}
	if l.reserved == nil {
		l.reserved = map[string]int64{}
	}
	for _, c := range changes {
		l.reserved[c.Licence] += c.Delta
	}
	return nil
}

// recordingStore is a store that notes what becomes of one account, and in a preview keeps writes to itself.
type recordingStore struct {
	Store
	preview      bool
	reservations *seatReservations
	wrote        bool
	username     string
}

// Account implements Store.
func (o *recordingStore) Account(ctx context.Context, env environment.Environment, id string) (Account, error) {
	a, err := o.Store.Account(ctx, env, id)
	if err == nil {
		o.username = a.Username
	}
	return a, err
}

// Write implements Store.
func (o *recordingStore) Write(ctx context.Context, env environment.Environment, w Write) error {
	var err error
	if o.preview {
		err = o.reservations.reserve(w.SeatChanges())
	} else {
		err = o.Store.Write(ctx, env, w)
	}
	o.wrote = err == nil
	return err
}

// BulkPage is a part of the accounts that a bulk action over all that match came to.
type BulkPage struct {
	Outcomes []BulkOutcome
	// Next is where to go on, nil at the end, and Left how many match after it.
	Next      *Position
	Remaining int
	// SeatsReserved are the seats that the accounts so far would take and give back, by licence, in a preview: the next
	// part counts on from there, as nothing is written in between.
	SeatsReserved map[string]int64
}

// RunBulkMatching does a bulk action to the first accounts after a place, in the order of usernames, that pass a
// filter. It goes by the place, not by what still matches: an action that makes accounts match no more skips none.
func (s *Service) RunBulkMatching(ctx context.Context, sc access.Scope, b BulkRequest, q Query,
	reserved map[string]int64) (BulkPage, error) {
	q.Order = Order{}
	marks, total, err := s.firstPositions(ctx, sc, q)
	if err != nil {
		return BulkPage{}, err
	}
	marks = marks[:min(q.Limit, len(marks))]
	keys := make([]string, len(marks))
	for i, mark := range marks {
		keys[i] = mark.Key
	}
	accounts, err := s.Directory.ByKeys(ctx, sc.Env, keys)
	if err != nil {
		return BulkPage{}, err
	}
	accounts = slices.DeleteFunc(accounts, func(a Account) bool { return !q.Filter.matches(a.ForDisplay()) })
	ids := make([]string, len(accounts))
	for i, a := range accounts {
		ids[i] = a.ID
	}
	m := BulkPage{Remaining: total - len(marks)}
	m.Outcomes, m.SeatsReserved = s.runBulk(ctx, sc, b, ids, reserved)
	if m.Remaining > 0 {
		m.Next = &marks[len(marks)-1]
	}
	late := slices.IndexFunc(m.Outcomes, func(o BulkOutcome) bool { return o.Fault != nil && o.Fault.Code == codeLater })
	if late == 0 {
		return BulkPage{},
			fault.New(fault.Unavailable, "busy",
				"There was no time to begin; send the request again.").WithRetryAfter(time.Second)
	}
	if late > 0 {
		m.Next, m.Remaining = &Position{Key: accounts[late-1].DirectoryKey()}, m.Remaining+len(m.Outcomes)-late
		m.Outcomes = m.Outcomes[:late]
	}
	return m, nil
}

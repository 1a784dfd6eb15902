package bulk

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/credential"
	"useraccounts/internal/directory"
	"useraccounts/internal/fault"
)

// Service runs bulk actions.
type Service struct {
	Accounts  *account.Service
	Directory *directory.Service
}

// Result is what became of one account.
type Result string

// The results. In a preview, Changed means that the account would be changed.
const (
	Changed   Result = "ok"
	Unchanged Result = "unchanged"
	Problem   Result = "problem"
)

// Outcome is the result for one account.
type Outcome struct {
	ID       string
	Username string
	Result   Result
	// Fault says what the problem is. Cause is the internal error behind it, which callers do not see.
	Fault *fault.Error
	Cause error
}

// concurrency is how many accounts are worked on at a time: enough to hide the store's round trips, few enough that
// writes which check the caller's own account seldom conflict there.
const concurrency = 4

// deadlineMargin is how long before the caller's deadline the last account is started.
const deadlineMargin = 6 * time.Second

// codeLater is the problem of an account that there was no time for.
const codeLater = "later"

// Run does the action to each account of the ids. Accounts that there is no time for come last, with the problem
// "later".
func (s *Service) Run(ctx context.Context, sc access.Scope, r Request, ids []string) []Outcome {
	out, _ := s.run(ctx, sc, r, ids, nil)
	return out
}

// run is Run for a preview that reserved some seats before. It returns the outcomes and the seats reserved by now.
func (s *Service) run(ctx context.Context, sc access.Scope, r Request, ids []string,
	reserved map[string]int64) ([]Outcome, map[string]int64) {
	out := make([]Outcome, len(ids))
	next := make(chan int)
	seats := &seatReservations{
		reserved: maps.Clone(reserved),
		used: sync.OnceValues(func() (map[string]int64, error) {
			return s.Accounts.Seats.Seats(ctx, sc.Env.ID)
		}),
	}
	var wg sync.WaitGroup
	for range min(concurrency, len(ids)) {
		wg.Go(func() {
			for i := range next {
				out[i] = s.runOne(ctx, sc, r, ids[i], seats)
			}
		})
	}
	deadline, limited := ctx.Deadline()
	for i, id := range ids {
		if limited && s.Accounts.Now().Add(deadlineMargin).After(deadline) {
			out[i] = Outcome{ID: id, Result: Problem, Fault: fault.New(fault.Unavailable, codeLater,
				"There was no time left for this account; send it again.")}
			continue
		}
		next <- i
	}
	close(next)
	wg.Wait()
	return out, seats.reserved
}

// CheckProof asks for a fresh proof of the caller before the first account, if the action makes administrators.
func (s *Service) CheckProof(sc access.Scope, r Request) error {
	op := operationOf(r.Action)
	if r.Preview || op.remove || sc.Caller.KeyID != "" ||
		!access.Permissions(sc.Catalogue, r.Roles, r.Groups).Has(access.AccountAdmin) {
		return nil
	}
	return credential.CheckProof(sc, s.Accounts.Now())
}

// runOne does the action to one account, by a copy of the account service whose store records what was written.
func (s *Service) runOne(ctx context.Context, sc access.Scope, r Request, id string, seats *seatReservations) Outcome {
	recorder := &recordingStore{Store: s.Accounts.Store, preview: r.Preview, reservations: seats}
	accounts := *s.Accounts
	accounts.Store = recorder
	a, err := operationOf(r.Action).run(ctx, &accounts, sc, r, id)
	out := Outcome{ID: id, Username: a.Username, Result: Unchanged}
	if out.Username == "" {
		out.Username = recorder.username
	}
	switch {
	case err != nil:
		out.Result, out.Fault = Problem, fault.As(err)
		if out.Fault == nil {
			out.Fault = fault.New(fault.Internal, "internal", "Something went wrong here; try this account again.")
			out.Cause = err
		}
	case recorder.wrote:
		out.Result = Changed
	}
	return out
}

// Page is the part of all matching accounts that one call worked on.
type Page struct {
	Outcomes []Outcome
	// Next is where the next call starts, nil at the end; Remaining is how many accounts match after this page.
	Next      *directory.Position
	Remaining int
	// SeatsReserved are the seats of each licence that a preview's accounts so far would take and give back. The next
	// page of a preview counts on from there, as nothing is written in between.
	SeatsReserved map[string]int64
}

// RunMatching does the action to the next accounts that match, up to q.Limit of them after q.After.
func (s *Service) RunMatching(ctx context.Context, sc access.Scope, r Request, q directory.Query,
	reserved map[string]int64) (Page, error) {
	batch, err := s.Directory.NextBatch(ctx, sc, q)
	if err != nil {
		return Page{}, err
	}
	ids := make([]string, len(batch.Accounts))
	for i, a := range batch.Accounts {
		ids[i] = a.ID
	}
	page := Page{Next: batch.Next, Remaining: batch.Remaining}
	page.Outcomes, page.SeatsReserved = s.run(ctx, sc, r, ids, reserved)
	late := slices.IndexFunc(page.Outcomes, func(o Outcome) bool { return o.Fault != nil && o.Fault.Code == codeLater })
	if late == 0 {
		return Page{}, fault.New(fault.Unavailable, "busy", "There was no time to begin; send the request again.").
			WithRetryAfter(time.Second)
	}
	if late > 0 { // the next call starts with the first account that there was no time for
		page.Next = &directory.Position{Key: batch.Accounts[late-1].DirectoryKey()}
		page.Remaining += len(page.Outcomes) - late
		page.Outcomes = page.Outcomes[:late]
	}
	return page, nil
}

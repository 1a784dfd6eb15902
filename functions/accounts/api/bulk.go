package api

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
)

// maxBulk is how many accounts one call works on: as many as can be done, store willing, well within the function's
// time.
const maxBulk = 500

func bulkRoute(h handlers) httpapi.Route {
	return httpapi.Route{
		Key: "POST /api/accounts/bulk", Needs: access.AccountRead, Idempotent: true, Handle: h.bulk,
		Query: []httpapi.Param{httpapi.Limit(200, maxBulk), httpapi.Cursor()},
		Doc: httpapi.Operation{
			Tag: tag, Summary: "Do something to many accounts",
			Description: "To the accounts of ids, or to all that pass a filter, whose members are named and written as the " +
				"list's query parameters ({} means every active account). " +
				"Needs the permission of the action: allow, block and resetTries account.block, lock and unlock account.lock, " +
				"forcePasswordChange account.password, the others account.update. " +
				"Each account is worked on by itself, by the rules of the single action, and has a result: ok, unchanged or " +
				"problem. With preview nothing is written, and ok means that it would change, seats of licences counted as far " +
				"as this call goes. " +
				"With a filter, one call takes up to limit accounts in the order of usernames: go on with the same body and " +
				"next as cursor (and an Idempotency-Key of its own) until there is no next; remaining says how many match after " +
				"this call. " +
				"With ids, those that there was no time for have the problem later: send them again. Doing the same twice does " +
				"no harm.",
			Body: bulkBody{},
			BodyExample: map[string]any{"action": "block", "ids": []string{"01JNB7Z5Q0ABCDEFGHJKMNPQRS"},
				"arguments": map[string]any{"reason": "Left the company"}, "preview": true},
			Answers: []httpapi.Answer{{Status: http.StatusOK, Body: bulkResultView{}}},
			Problems: []httpapi.Problem{
				{Kind: fault.Forbidden, Code: "forbidden", When: "You lack the permission of the action."},
				{Kind: fault.Invalid, Code: "invalid",
					When: "There is no such action, its arguments are not right, or there are neither ids nor a filter, or both, " +
						"or too many ids."},
				{Kind: fault.Unavailable, Code: "busy", When: "There was no time to begin."},
			},
		},
	}
}

type bulkBody struct {
	Action    account.BulkAction `json:"action" enum:"allow|block|lock|unlock|resetTries|forcePasswordChange|addRoles|removeRoles|addGroups|removeGroups" help:"What to do."`
	IDs       []string           `json:"ids,omitzero" help:"The accounts to do it to; an id given twice counts once." maxItems:"500"`
	Filter    map[string]string  `json:"filter,omitzero" help:"All accounts that pass, instead of ids." example:"{\"userType\":\"TEAM\"}"`
	Arguments bulkArguments      `json:"arguments,omitzero" help:"What the action needs."`
	Preview   bool               `json:"preview,omitzero" help:"Tell what would happen, and change nothing."`
}

type bulkArguments struct {
	Reason string   `json:"reason,omitzero" help:"Why, for block." maxLength:"200"`
	Roles  []string `json:"roles,omitzero" help:"Codes, for addRoles and removeRoles." maxItems:"100" maxLength:"50"`
	Groups []string `json:"groups,omitzero" help:"Codes, for addGroups and removeGroups." maxItems:"100" maxLength:"50"`
}

type bulkResultView struct {
	Preview   bool          `json:"preview"`
	Changed   int           `json:"changed" help:"How many were changed, or would be."`
	Unchanged int           `json:"unchanged" help:"How many were so already."`
	Problems  int           `json:"problems"`
	Remaining int           `json:"remaining" help:"How many match after those of this call; 0 for ids."`
	Items     []outcomeView `json:"items"`
	Next      string        `json:"next,omitzero" help:"Cursor to go on with; not there when all is done."`
}

type outcomeView struct {
	ID       string             `json:"id"`
	Username string             `json:"username,omitzero" help:"Not there where the account cannot be read."`
	Result   account.BulkResult `json:"result" enum:"ok|unchanged|problem"`
	Code     string             `json:"code,omitzero" help:"The problem's code, as the single action has it."`
	Detail   string             `json:"detail,omitzero" help:"What the problem is and what to do."`
	Fields   []fault.Field      `json:"fields,omitzero"`
}

// bulkCursor is where a bulk action over all that match stands, and of which one.
type bulkCursor struct {
	After account.Position `json:"a"`
	Of    string           `json:"o"`
	// SeatsReserved are the seats that the pages before would take.
	SeatsReserved map[string]int64 `json:"t,omitempty"`
}

func (h handlers) bulk(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in bulkBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	at, resumed, err := httpapi.OpenCursor[bulkCursor](r)
	if err != nil {
		return httpapi.Response{}, err
	}
	filter, bad := in.targets(resumed)
	if err := fault.InvalidFields(bad); err != nil {
		return httpapi.Response{}, err
	}
	of, err := in.digest()
	if err != nil {
		return httpapi.Response{}, err
	}
	if resumed && at.Of != of {
		return httpapi.Response{},
			fault.New(fault.Malformed, "cursor",
				"This cursor is of another bulk action; send the body that it was made for, or start again without it.")
	}
	b := account.BulkRequest{Action: in.Action, Reason: in.Arguments.Reason, Roles: in.Arguments.Roles,
		Groups: in.Arguments.Groups, Preview: in.Preview}
	if err := b.Check(r.Scope); err != nil {
		return httpapi.Response{}, err
	}
	if in.Filter == nil {
		return httpapi.OK(h.bulkResult(r, b, h.runBulkOnIDs(ctx, r, b, in.IDs))), nil
	}
	m, err := h.accounts.RunBulkMatching(ctx, r.Scope, b,
		account.Query{Filter: filter, After: at.After, Limit: r.QueryInt("limit")}, at.SeatsReserved)
	if err != nil {
		return httpapi.Response{}, err
	}
	out := h.bulkResult(r, b, m.Outcomes)
	out.Remaining = m.Remaining
	if m.Next != nil {
		out.Next, err = httpapi.SealCursor(r, bulkCursor{After: *m.Next, Of: of, SeatsReserved: m.SeatsReserved})
	}
	return httpapi.OK(out), err
}

// targets reads which accounts are meant.
func (in bulkBody) targets(resumed bool) (account.Filter, []fault.Field) {
	refuse := func(name, code, message string) (account.Filter, []fault.Field) {
		return account.Filter{}, []fault.Field{{Field: name, Code: code, Message: message}}
	}
	switch {
	case (in.IDs == nil) == (in.Filter == nil):
		return refuse("ids", "required", "Give either ids or a filter.")
	case in.Filter == nil && resumed:
		return refuse("ids", "unexpected", "A cursor goes with a filter; ids are done in one call.")
	case len(in.IDs) > maxBulk:
		return refuse("ids", "tooMany", "One call takes at most "+strconv.Itoa(maxBulk)+" ids; send the rest in another.")
	}
	filter, bad := account.ParseFilter(in.Filter)
	for i := range bad {
		bad[i].Field = "filter." + bad[i].Field
	}
	return filter, bad
}

// digest tells bulk actions apart.
func (in bulkBody) digest() (string, error) {
	raw, err := json.Marshal(in, json.Deterministic(true))
	sum := sha256.Sum256(raw)
	return base64.RawURLEncoding.EncodeToString(sum[:]), err
}

// runBulkOnIDs works on accounts by their ids, each once; what cannot be an id is nobody's.
func (h handlers) runBulkOnIDs(ctx context.Context, r *httpapi.Request, b account.BulkRequest,
	ids []string) []account.BulkOutcome {
	var wanted []string
	at := map[string]int{}
	out := make([]account.BulkOutcome, 0, len(ids))
	for _, id := range ids {
		if _, twice := at[id]; twice {
			continue
		}
		at[id] = len(out)
		out = append(out, account.BulkOutcome{ID: id, Result: account.BulkProblem, Fault: httpapi.NotFound()})
		if httpapi.IsID(id) {
			wanted = append(wanted, id)
		}
	}
	for _, o := range h.accounts.RunBulk(ctx, r.Scope, b, wanted) {
		out[at[o.ID]] = o
	}
	return out
}

func (h handlers) bulkResult(r *httpapi.Request, b account.BulkRequest, outcomes []account.BulkOutcome) bulkResultView {
	out := bulkResultView{Preview: b.Preview, Items: make([]outcomeView, len(outcomes))}
	var causes []error
	for i, o := range outcomes {
		out.Items[i] = outcomeView{ID: o.ID, Username: o.Username, Result: o.Result}
		switch o.Result {
		case account.BulkChanged:
			out.Changed++
		case account.BulkUnchanged:
			out.Unchanged++
		case account.BulkProblem:
			out.Problems++
			out.Items[i].Code, out.Items[i].Detail, out.Items[i].Fields = o.Fault.Code, o.Fault.Detail, o.Fault.Fields
		}
		causes = append(causes, o.Cause)
	}
	r.LogWarning(errors.Join(causes...))
	return out
}

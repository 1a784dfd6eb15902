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
	"useraccounts/internal/bulk"
	"useraccounts/internal/directory"
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
)

// maxBulk is how many accounts one call works on: as many as are done well within the function's time.
const maxBulk = 500

func (h handlers) bulkRoutes() []httpapi.Route {
	return []httpapi.Route{{
		Key: "POST /api/accounts/bulk", Needs: access.AccountRead, Idempotent: true, Handle: h.bulk,
		Query: []httpapi.Param{httpapi.Limit(200, maxBulk), httpapi.Cursor()},
		Doc: httpapi.Operation{
			Tag: tag, ID: "changeManyAccounts",
			Summary: "Do one action to many accounts",
			Description: "The accounts are those of ids, or all that match a filter, whose members are those of the list's " +
				"query " +
				"parameters ({} means every active account). " +
				"Needs the permission of the action: account.block for allow, block and resetTries, account.lock for lock and " +
				"unlock, account.password for forcePasswordChange, account.update for the others. " +
				"Each account is handled by itself, by the rules of the single action, and has a result: ok, unchanged or " +
				"problem. With preview nothing is written; ok then means that the account would change. A preview counts the " +
				"seats that the accounts before would take. " +
				"With a filter, one call handles up to limit accounts in the order of usernames. Repeat the call with the same " +
				"body, with next as cursor and with another Idempotency-Key, until there is no next; remaining says how many " +
				"accounts are left. " +
				"With ids, accounts that there was no time for have the problem later; send them again. Doing the same twice " +
				"does no harm.",
			Body: bulkBodyDoc(),
			BodyExample: map[string]any{"action": "block", "ids": []string{"01JNB7Z5Q0ABCDEFGHJKMNPQRS"},
				"arguments": map[string]any{"reason": "Left the company"}, "preview": true},
			Answers: []httpapi.Answer{{Status: http.StatusOK, Body: bulkResultView{}}},
			Problems: []httpapi.Problem{
				{Kind: fault.Forbidden, Code: "forbidden", When: "You do not hold the permission of the action."},
				invalidProblem("There is no such action, its arguments are invalid, there are too many ids, or there are not " +
					"either ids or a filter."),
				{Kind: fault.Unavailable, Code: "busy", When: "There was no time to begin."},
			},
		},
	}}
}

// bulkBody is what is decoded. The reference has a schema for each kind of arguments; see bulkBodyDoc.
type bulkBody struct {
	Action bulk.Action `json:"action" enum:"allow|block|lock|unlock|resetTries|forcePasswordChange|addRoles|removeRoles|addGroups|removeGroups" help:"What to do."`
	bulkTargets
	Arguments bulkArguments `json:"arguments,omitzero" help:"What the action needs."`
}

type bulkTargets struct {
	IDs     []string          `json:"ids,omitzero" help:"The accounts to do it to; an id given twice counts once." maxItems:"500"`
	Filter  map[string]string `json:"filter,omitzero" help:"All accounts that match, instead of ids. Codes are separated by semicolons." example:"{\"userType\":\"TEAM\"}"`
	Preview bool              `json:"preview,omitzero" help:"Tell what would happen, and change nothing."`
}

type bulkArguments struct {
	Reason string   `json:"reason,omitzero" maxLength:"200"`
	Roles  []string `json:"roles,omitzero" maxItems:"100" maxLength:"50"`
	Groups []string `json:"groups,omitzero" maxItems:"100" maxLength:"50"`
}

type bulkSimpleBody struct {
	Action bulk.Action `json:"action" enum:"allow|lock|unlock|resetTries|forcePasswordChange" help:"What to do. These actions need no arguments."`
	bulkTargets
	Arguments struct{} `json:"arguments,omitzero" help:"Empty."`
}

type bulkBlockBody struct {
	Action bulk.Action `json:"action" enum:"block" help:"What to do."`
	bulkTargets
	Arguments bulkBlockArguments `json:"arguments" help:"What the action needs."`
}

type bulkBlockArguments struct {
	Reason string `json:"reason" help:"Why." minLength:"1" maxLength:"200" example:"Left the company"`
}

type bulkRolesBody struct {
	Action bulk.Action `json:"action" enum:"addRoles|removeRoles" help:"What to do."`
	bulkTargets
	Arguments bulkRolesArguments `json:"arguments" help:"What the action needs."`
}

type bulkRolesArguments struct {
	Roles []string `json:"roles" help:"Codes of roles." minItems:"1" maxItems:"100" maxLength:"50" example:"[\"VIEWER\"]"`
}

type bulkGroupsBody struct {
	Action bulk.Action `json:"action" enum:"addGroups|removeGroups" help:"What to do."`
	bulkTargets
	Arguments bulkGroupsArguments `json:"arguments" help:"What the action needs."`
}

type bulkGroupsArguments struct {
	Groups []string `json:"groups" help:"Codes of groups." minItems:"1" maxItems:"100" maxLength:"50" example:"[\"STAFF\"]"`
}

// bulkBodyDoc ties the arguments of a bulk action to the action.
func bulkBodyDoc() httpapi.OneOfDoc {
	return httpapi.OneOfDoc{Name: "AccountsBulk", Member: "action",
		Bodies: []any{bulkSimpleBody{}, bulkBlockBody{}, bulkRolesBody{}, bulkGroupsBody{}}}
}

type bulkResultView struct {
	Preview   bool          `json:"preview"`
	Changed   int           `json:"changed" help:"How many accounts were changed, or would be."`
	Unchanged int           `json:"unchanged" help:"How many accounts need no change."`
	Problems  int           `json:"problems"`
	Remaining int           `json:"remaining" help:"How many accounts match after those of this call; 0 for ids."`
	Items     []outcomeView `json:"items"`
	Next      string        `json:"next,omitzero" help:"The cursor of the next call; left out when all is done."`
}

type outcomeView struct {
	ID       string        `json:"id"`
	Username string        `json:"username,omitzero" help:"Left out if the account cannot be read."`
	Result   bulk.Result   `json:"result" enum:"ok|unchanged|problem"`
	Code     string        `json:"code,omitzero" help:"The problem's code, as the single action has it."`
	Detail   string        `json:"detail,omitzero" help:"What the problem is and what to do."`
	Fields   []fault.Field `json:"fields,omitzero"`
}

// bulkCursor is the position of a bulk action over all that match, and the fingerprint of that action.
type bulkCursor struct {
	After       directory.Position `json:"a"`
	Fingerprint string             `json:"o"`
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
	filter, faults := in.targets(resumed)
	if err := fault.InvalidFields(faults); err != nil {
		return httpapi.Response{}, err
	}
	fingerprint, err := in.fingerprint()
	if err != nil {
		return httpapi.Response{}, err
	}
	if resumed && at.Fingerprint != fingerprint {
		return httpapi.Response{}, fault.New(fault.Malformed, "cursor",
			"This cursor belongs to another bulk action; send the body that it was made for, or start again without it.")
	}
	request := bulk.Request{Action: in.Action, Reason: in.Arguments.Reason, Roles: in.Arguments.Roles,
		Groups: in.Arguments.Groups, Preview: in.Preview}
	if err := request.Check(r.Scope); err != nil {
		return httpapi.Response{}, err
	}
	if err := h.Bulk.CheckProof(r.Scope, request); err != nil {
		return httpapi.Response{}, err
	}
	if in.Filter == nil {
		return httpapi.OK(newBulkResultView(r, request, h.runBulkOnIDs(ctx, r, request, in.IDs))), nil
	}
	page, err := h.Bulk.RunMatching(ctx, r.Scope, request,
		directory.Query{Filter: filter, After: at.After, Limit: r.QueryInt("limit")}, at.SeatsReserved)
	if err != nil {
		return httpapi.Response{}, err
	}
	out := newBulkResultView(r, request, page.Outcomes)
	out.Remaining = page.Remaining
	if page.Next != nil {
		out.Next, err = httpapi.SealCursor(r,
			bulkCursor{After: *page.Next, Fingerprint: fingerprint, SeatsReserved: page.SeatsReserved})
	}
	return httpapi.OK(out), err
}

// targets returns the filter of a body, and what is wrong with its choice of accounts.
func (in bulkBody) targets(resumed bool) (directory.Filter, []fault.Field) {
	refuse := func(name, code, message string) (directory.Filter, []fault.Field) {
		return directory.Filter{}, []fault.Field{{Field: name, Code: code, Message: message}}
	}
	switch {
	case (in.IDs == nil) == (in.Filter == nil):
		return refuse("ids", "required", "Give either ids or a filter.")
	case in.Filter == nil && resumed:
		return refuse("ids", "unexpected", "A cursor is for a filter; ids are done in one call.")
	case len(in.IDs) > maxBulk:
		return refuse("ids", "tooMany", "One call takes at most "+strconv.Itoa(maxBulk)+" ids; send the rest in another.")
	}
	filter, faults := directory.ParseFilter(in.Filter)
	for i := range faults {
		faults[i].Field = "filter." + faults[i].Field
	}
	return filter, faults
}

// fingerprint identifies a bulk action.
func (in bulkBody) fingerprint() (string, error) {
	raw, err := json.Marshal(in, json.Deterministic(true))
	sum := sha256.Sum256(raw)
	return base64.RawURLEncoding.EncodeToString(sum[:]), err
}

// runBulkOnIDs does the action to accounts by their ids, each once; what cannot be an id is not found.
func (h handlers) runBulkOnIDs(ctx context.Context, r *httpapi.Request, request bulk.Request,
	ids []string) []bulk.Outcome {
	var valid []string
	index := map[string]int{}
	out := make([]bulk.Outcome, 0, len(ids))
	for _, id := range ids {
		if _, twice := index[id]; twice {
			continue
		}
		index[id] = len(out)
		out = append(out, bulk.Outcome{ID: id, Result: bulk.Problem, Fault: httpapi.NotFound()})
		if httpapi.IsID(id) {
			valid = append(valid, id)
		}
	}
	for _, o := range h.Bulk.Run(ctx, r.Scope, request, valid) {
		out[index[o.ID]] = o
	}
	return out
}

func newBulkResultView(r *httpapi.Request, request bulk.Request, outcomes []bulk.Outcome) bulkResultView {
	out := bulkResultView{Preview: request.Preview, Items: make([]outcomeView, len(outcomes))}
	var causes []error
	for i, o := range outcomes {
		out.Items[i] = outcomeView{ID: o.ID, Username: o.Username, Result: o.Result}
		switch o.Result {
		case bulk.Changed:
			out.Changed++
		case bulk.Unchanged:
			out.Unchanged++
		case bulk.Problem:
			out.Problems++
			out.Items[i].Code, out.Items[i].Detail, out.Items[i].Fields = o.Fault.Code, o.Fault.Detail, o.Fault.Fields
		}
		causes = append(causes, o.Cause)
	}
	r.LogWarning(errors.Join(causes...))
	return out
}

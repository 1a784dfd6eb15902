package apidoc_test

import (
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/httpapi"
)

// thing is the struct of the fixture's field table.
type thing struct {
	Name, Mail string
	Codes      []string
	On         bool
	From       field.Date
	Seen       time.Time
	Tries      int64
}

func things() field.Table[thing] {
	return field.Table[thing]{
		{Name: "name", Label: "Name", Kind: field.Text, Required: true, Max: 50, At: func(t *thing) any { return &t.Name }},
		{
			Name: "mail", Label: "Mail", Help: "Where mail goes.", Kind: field.Email, Max: 250,
			At: func(t *thing) any { return &t.Mail },
		},
		{Name: "codes", Label: "Codes", Kind: field.Codes, Max: 20, At: func(t *thing) any { return &t.Codes }},
		{Name: "on", Label: "On", Kind: field.Bool, At: func(t *thing) any { return &t.On }},
		{Name: "from", Label: "From", Kind: field.Day, At: func(t *thing) any { return &t.From }},
		{Name: "seen", Label: "Seen", Kind: field.Instant, ReadOnly: true, At: func(t *thing) any { return &t.Seen }},
		{Name: "tries", Label: "Tries", Kind: field.Number, ReadOnly: true, At: func(t *thing) any { return &t.Tries }},
	}
}

type extraMembers struct {
	ID      string `json:"id"`
	Version int64  `json:"version" help:"For If-Match."`
}

type signIn struct {
	User     string   `json:"user" minLength:"1" maxLength:"250" example:"doej"`
	Password string   `json:"password" maxLength:"128" format:"password" example:"a long phrase"`
	Device   *device  `json:"device,omitzero"`
	Scopes   []string `json:"scopes,omitzero" maxItems:"3" maxLength:"20" enum:"read|write" example:"[\"read\"]"`
	Nick     *string  `json:"nick,omitzero"`
	Days     int      `json:"days,omitzero" minimum:"1" maximum:"30" example:"7"`
	hidden   string   //nolint:unused // here to be left out of the schema
	Skipped  string   `json:"-"`
}

type device struct {
	Name string `json:"name" maxLength:"50"`
}

type session struct {
	Token   string         `json:"token"`
	Expires time.Time      `json:"expires"`
	Device  *device        `json:"device,omitzero"`
	Steps   []step         `json:"steps"`
	Counts  map[string]int `json:"counts"`
	Kind    kind           `json:"kind"`
}

type step struct {
	Name string `json:"name"`
	Then []step `json:"then"`
}

// kind is a Describer.
type kind string

// JSONSchema returns the schema of a kind.
func (kind) JSONSchema() map[string]any {
	return map[string]any{"type": "string", "enum": []string{"a", "b"}}
}

// routes use every feature of a route's Doc.
func routes() []httpapi.Route {
	answer := httpapi.FieldsDoc{Name: "Thing", Fields: things().Describe(), Extra: extraMembers{}}
	return []httpapi.Route{
		{Key: "POST /api/login", Needs: access.Public, Doc: httpapi.Operation{
			Tag: "Sign-in", ID: "postLogin", Summary: "Sign in",
			Description: "With `user` and password.\n\nNeutral <b>always</b>.",
			Body:        signIn{},
			Answers:     []httpapi.Answer{{Status: 200, Body: session{}}},
			Problems: []httpapi.Problem{
				{Kind: fault.Unauthenticated, Code: "signIn", When: "It is not right."},
				{Kind: fault.TooManyRequests, Code: "slow", When: "Too fast."},
			},
		}},
		{Key: "GET /api/things", Needs: access.AccountRead, Query: []httpapi.Param{
			httpapi.Limit(50, 200), httpapi.Cursor(),
			{Name: "find", Kind: httpapi.TextParam, Min: 2, Max: 100, Help: "What to find.", Example: "doe"},
			{Name: "all", Kind: httpapi.BoolParam, Default: "false"},
			{Name: "from", Kind: httpapi.DateParam},
			{Name: "codes", Kind: httpapi.CodesParam, Max: 20},
			{Name: "of", Kind: httpapi.IDParam},
			{Name: "sort", Kind: httpapi.EnumParam, Choices: []string{"name", "-name"}, Default: "name"},
		}, Doc: httpapi.Operation{
			Tag: "Accounts", ID: "getThings", Summary: "List things",
			Answers: []httpapi.Answer{{Status: 200, Body: httpapi.ListDoc{Name: "ThingPage", Of: answer}}},
		}},
		{Key: "POST /api/things", Needs: access.AccountCreate, Idempotent: true, Doc: httpapi.Operation{
			Tag: "Accounts", ID: "postThings", Summary: "Create a thing",
			Body:        httpapi.FieldsDoc{Name: "ThingCreate", Fields: things().Describe(), Use: httpapi.ForCreate},
			BodyExample: map[string]any{"name": "a", "codes": []string{"X"}, "from": "2026-03-01"},
			Answers:     []httpapi.Answer{{Status: 201, Body: answer, ETag: true, Location: true}},
			Problems:    []httpapi.Problem{{Kind: fault.Conflict, Code: "taken", When: "The name is taken."}},
		}},
		{Key: "GET /api/things/{id}", Needs: access.AccountRead, Doc: httpapi.Operation{
			Tag: "Accounts", ID: "getThing", Summary: "Read a thing",
			Answers: []httpapi.Answer{{Status: 200, Body: answer, ETag: true}},
		}},
		{Key: "PATCH /api/things/{id}", Needs: access.AccountUpdate, Doc: httpapi.Operation{
			Tag: "Accounts", ID: "patchThing", Summary: "Change a thing", IfMatch: true,
			Body:     httpapi.FieldsDoc{Name: "ThingPatch", Fields: things().Describe(), Use: httpapi.ForPatch},
			Answers:  []httpapi.Answer{{Status: 200, Body: answer, ETag: true}},
			Problems: []httpapi.Problem{{Kind: fault.Stale, Code: "stale", When: "Somebody changed it meanwhile."}},
		}},
		{Key: "DELETE /api/things/{id}/parts/{code}", Needs: access.SignedIn, Doc: httpapi.Operation{
			Tag: "Accounts", ID: "deleteThingsIdPartsCode", Summary: "Take a part away",
			Path:    []httpapi.Param{{Name: "code", Kind: httpapi.TextParam, Max: 50, Help: "Its code.", Example: "X"}},
			Answers: []httpapi.Answer{{Status: 204, Description: "It is gone."}},
		}},
		{Key: "GET /api/sessions", Needs: access.SignedIn, Doc: httpapi.Operation{
			Tag: "Sign-in", ID: "getSessions", Summary: "List sessions",
			Answers: []httpapi.Answer{{Status: 200, Body: httpapi.Page[step]{}}},
		}},
		{Key: "$default", Needs: access.Public},
	}
}

package api

import (
	"context"
	"time"

	"useraccounts/internal/apikey"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/session"
	"useraccounts/internal/token"
)

type handlers struct {
	keys *apikey.Service
	now  func() time.Time
}

type createBody struct {
	Description string `json:"description" help:"What the key is for, for administrators to read." minLength:"1" maxLength:"200" example:"Payroll interface, nightly run"`
	ValidDays   *int   `json:"validDays,omitzero" help:"How many days it is valid; 90 by default." minimum:"1" maximum:"3650" example:"90"`
}

// keyView is one key in a list; times are UTC.
type keyView struct {
	ID          string           `json:"id"`
	Prefix      string           `json:"prefix" help:"The beginning of the key, to recognise it." example:"ua_01JZ8Y3M6Q4T1V5W7X9Z2B4D6F"`
	Description string           `json:"description"`
	CreatedAt   time.Time        `json:"createdAt"`
	CreatedBy   string           `json:"createdBy" help:"Username of who created it."`
	Expires     time.Time        `json:"expires"`
	LastUsed    *time.Time       `json:"lastUsed,omitzero" help:"When it was last used, to the hour; absent if never."`
	LockedAt    *time.Time       `json:"lockedAt,omitzero" help:"When it was locked; absent while it is not."`
	LockedBy    string           `json:"lockedBy,omitzero" help:"Username of who locked it."`
	State       session.KeyState `json:"state" enum:"active|expired|locked" help:"The state of the key itself. An active key is refused too while its account is blocked, locked, outside its dates or without an API licence."`
}

// madeView is a new key with its text.
type madeView struct {
	Key string `json:"key" help:"The key itself, shown only here." example:"ua_01JZ...01JY..._7RX..."`
	keyView
}

func (h handlers) view(k session.APIKey) keyView {
	v := keyView{
		ID: k.ID, Prefix: token.KeyPrefix(k.ID), Description: k.Description, CreatedAt: k.Created, CreatedBy: k.CreatedBy,
		Expires: k.Expires, LockedBy: k.LockedBy, State: k.State(h.now()),
	}
	if !k.LastUsed.IsZero() {
		v.LastUsed = &k.LastUsed
	}
	if !k.Locked.IsZero() {
		v.LockedAt = &k.Locked
	}
	return v
}

func (h handlers) list(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, err := r.ID("id")
	if err != nil {
		return httpapi.Response{}, err
	}
	after, _, err := httpapi.OpenCursor[string](r)
	if err != nil {
		return httpapi.Response{}, err
	}
	found, next, err := h.keys.List(ctx, r.Scope, id, after, r.QueryInt("limit"))
	if err != nil {
		return httpapi.Response{}, err
	}
	page := httpapi.Page[keyView]{Items: make([]keyView, len(found))}
	for i, k := range found {
		page.Items[i] = h.view(k)
	}
	if next != "" {
		page.Next, err = httpapi.SealCursor(r, next)
	}
	return httpapi.OK(page), err
}

func (h handlers) create(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, err := r.ID("id")
	if err != nil {
		return httpapi.Response{}, err
	}
	var in createBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	choice := apikey.CreateParams{Description: in.Description, ValidDays: apikey.DefaultValidDays}
	if in.ValidDays != nil {
		choice.ValidDays = *in.ValidDays
	}
	k, issued, err := h.keys.Create(ctx, r.Scope, id, choice)
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.Created("/api/accounts/"+id+"/keys", madeView{issued.Reveal(), h.view(k)}), nil
}

func (h handlers) lock(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, err := r.ID("id")
	if err != nil {
		return httpapi.Response{}, err
	}
	keyID, err := r.ID("keyId")
	if err != nil {
		return httpapi.Response{}, err
	}
	k, err := h.keys.Lock(ctx, r.Scope, id, keyID)
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.OK(h.view(k)), nil
}

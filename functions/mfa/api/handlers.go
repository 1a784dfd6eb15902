package api

import (
	"context"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/factor"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/mfa"
)

type handlers struct {
	own      *factor.Service
	accounts *account.Service
}

type proofBody struct {
	Password string `json:"password,omitzero" maxLength:"1000" help:"Your password; not needed within five minutes of signing in." example:"correct horse battery staple"`
}

type codeBody struct {
	Code string `json:"code" maxLength:"64" help:"The six digits that the authenticator shows." example:"123456"`
}

// enrolmentView is what an authenticator is set up from; it is shown once.
type enrolmentView struct {
	Secret string `json:"secret" help:"The secret to type where the QR code cannot be scanned."`
	URI    string `json:"uri" help:"The otpauth URI in the QR code."`
	QRCode string `json:"qrCode" help:"The QR code as a data: URI of a PNG image."`
}

type codesView struct {
	RecoveryCodes []string `json:"recoveryCodes" help:"Shown once; each is valid once in place of the authenticator."`
}

type view struct {
	Required          bool          `json:"required" help:"Whether the account or the environment requires a second factor."`
	Exempt            bool          `json:"exempt" help:"Whether an administrator chose not to enforce it."`
	Methods           []mfa.Method  `json:"methods" enum:"passkey|totp|recoveryCode|emailCode" help:"The available methods: those that are set up, and a code by mail where that is allowed."`
	Passkeys          []passkeyView `json:"passkeys" help:"In the order in which they were set up."`
	Since             *time.Time    `json:"since,omitzero" help:"When the authenticator was set up (UTC)."`
	RecoveryCodesLeft int           `json:"recoveryCodesLeft"`
	PausedUntil       *time.Time    `json:"pausedUntil,omitzero" help:"Until when no code is accepted, because five were wrong (UTC)."`
	Ended             bool          `json:"ended" help:"Whether so many codes were wrong that the second factor has to be removed and set up again."`
	Devices           []deviceView  `json:"devices" help:"Trusted devices, newest first."`
}

type deviceView struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Location string    `json:"location" help:"Network address of the last use."`
	First    time.Time `json:"firstUsed"`
	Last     time.Time `json:"lastUsed"`
	Expires  time.Time `json:"expires"`
}

func viewOf(o factor.Status) view {
	v := view{
		Required: o.Required, Exempt: o.Account.MFAExempt, Methods: append([]mfa.Method{}, o.Methods...),
		RecoveryCodesLeft: o.CodesLeft,
		Ended:             o.LockedOut, Devices: make([]deviceView, len(o.Devices)),
		Passkeys: make([]passkeyView, len(o.Passkeys)),
	}
	if o.MailCode {
		v.Methods = append(v.Methods, mfa.MailCode)
	}
	for i, k := range o.Passkeys {
		v.Passkeys[i] = passkeyViewOf(k)
	}
	if !o.Since.IsZero() {
		v.Since = &o.Since
	}
	if !o.PausedUntil.IsZero() {
		v.PausedUntil = &o.PausedUntil
	}
	for i, d := range o.Devices {
		v.Devices[i] = deviceView{
			ID: d.ID, Name: d.Name, Location: d.Address, First: d.FirstUsed, Last: d.LastUsed,
			Expires: d.Expires,
		}
	}
	return v
}

func (h handlers) ownStatus(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	o, err := h.own.Status(ctx, r.Scope, r.Scope.Caller.AccountID)
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.OK(viewOf(o)), nil
}

func (h handlers) beginTOTP(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in proofBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	shown, err := h.own.BeginTOTP(ctx, r.Scope, in.Password)
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.OK(enrolmentView{Secret: shown.Secret, URI: shown.URI, QRCode: shown.QR}), nil
}

func (h handlers) confirmTOTP(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in codeBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	return respondCodes(h.own.ConfirmTOTP(ctx, r.Scope, in.Code))
}

func (h handlers) regenerateCodes(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in proofBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	return respondCodes(h.own.RegenerateRecoveryCodes(ctx, r.Scope, in.Password))
}

func respondCodes(made []string, err error) (httpapi.Response, error) {
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.OK(codesView{RecoveryCodes: made}), nil
}

func (h handlers) removeOwn(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in proofBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.NoContent(), h.own.Remove(ctx, r.Scope, in.Password)
}

// reauthenticate reads the body and checks the caller's fresh proof. A password in the body is one for this request.
func (h handlers) reauthenticate(ctx context.Context, r *httpapi.Request) error {
	var in proofBody
	if err := r.Decode(&in); err != nil {
		return err
	}
	if err := h.own.Reauthenticate(ctx, r.Scope, in.Password); err != nil {
		return err
	}
	if in.Password != "" {
		r.Scope.Caller.AuthenticatedAt = h.own.Now()
	}
	return nil
}

func (h handlers) forgetOwnDevices(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	if err := h.reauthenticate(ctx, r); err != nil {
		return httpapi.Response{}, err
	}
	err := h.accounts.ForgetOwnDevices(ctx, r.Scope)
	return httpapi.NoContent(), err
}

func (h handlers) forgetOwnDevice(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	return h.forgetDeviceOf(ctx, r, r.Scope.Caller.AccountID)
}

func (h handlers) forgetDeviceOf(ctx context.Context, r *httpapi.Request, accountID string) (httpapi.Response, error) {
	device, err := r.ID("deviceId")
	if err != nil {
		return httpapi.Response{}, err
	}
	if err := h.reauthenticate(ctx, r); err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.NoContent(), h.own.ForgetDevice(ctx, r.Scope, accountID, device)
}

func (h handlers) accountStatus(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, err := r.ID("id")
	if err != nil {
		return httpapi.Response{}, err
	}
	return h.respondStatus(ctx, r, id)
}

// respondStatus answers with the status of an account's second factor and the account's version.
func (h handlers) respondStatus(ctx context.Context, r *httpapi.Request, id string) (httpapi.Response, error) {
	o, err := h.own.Status(ctx, r.Scope, id)
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.OK(viewOf(o)).WithVersion(o.Account.Version), nil
}

// readAction reads what every action on another account needs: its id, the version if given, and a fresh proof of the
// caller (V35).
func (h handlers) readAction(ctx context.Context, r *httpapi.Request) (string, int64, error) {
	id, err := r.ID("id")
	if err != nil {
		return "", 0, err
	}
	version, err := r.IfMatchIfGiven()
	if err != nil {
		return "", 0, err
	}
	return id, version, h.reauthenticate(ctx, r)
}

func (h handlers) remove(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, version, err := h.readAction(ctx, r)
	if err != nil {
		return httpapi.Response{}, err
	}
	if _, err := h.accounts.RemoveMFA(ctx, r.Scope, id, version); err != nil {
		return httpapi.Response{}, err
	}
	return h.respondStatus(ctx, r, id)
}

func (h handlers) exempt(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, version, err := h.readAction(ctx, r)
	if err != nil {
		return httpapi.Response{}, err
	}
	if _, err := h.accounts.DoNotEnforceMFA(ctx, r.Scope, id, version); err != nil {
		return httpapi.Response{}, err
	}
	return h.respondStatus(ctx, r, id)
}

func (h handlers) forgetDevices(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, version, err := h.readAction(ctx, r)
	if err != nil {
		return httpapi.Response{}, err
	}
	_, err = h.accounts.ForgetDevices(ctx, r.Scope, id, version)
	return httpapi.NoContent(), err
}

func (h handlers) forgetDevice(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, err := r.ID("id")
	if err != nil {
		return httpapi.Response{}, err
	}
	return h.forgetDeviceOf(ctx, r, id)
}

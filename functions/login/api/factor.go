package api

import (
	"context"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"useraccounts/internal/access"
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/mfa"
	"useraccounts/internal/signin"
)

type secondFactorBody struct {
	Ticket string     `json:"ticket" maxLength:"256" help:"The ticket of the previous step." example:"uat_AZ..."`
	Method mfa.Method `json:"method" enum:"passkey|totp|recoveryCode|emailCode" example:"totp"`
	Code   string     `json:"code,omitzero" maxLength:"64" help:"The six digits from the authenticator or the mail, or a recovery code." example:"123456"`
	// Credential is any JSON: browsers add members to it over time.
	Credential jsontext.Value `json:"credential,omitzero" help:"For a passkey: the PublicKeyCredential that the browser returned, as toJSON() gives it."`
	Remember   bool           `json:"remember,omitzero" help:"Trust this device: its sign-ins need no second factor for as many days as the environment allows."`
}

type ticketBody struct {
	Ticket string `json:"ticket" maxLength:"256" help:"The ticket of the previous step." example:"uat_AZ..."`
}

type setUpBody struct {
	Ticket string     `json:"ticket" maxLength:"256" help:"The ticket of the previous step." example:"uat_AZ..."`
	Method mfa.Method `json:"method,omitzero" enum:"totp|passkey" help:"What to set up; totp (an authenticator) by default."`
}

type confirmBody struct {
	Ticket     string         `json:"ticket" maxLength:"256" help:"The ticket of the previous step." example:"uat_AZ..."`
	Code       string         `json:"code,omitzero" maxLength:"64" help:"The six digits that the authenticator shows." example:"123456"`
	Credential jsontext.Value `json:"credential,omitzero" help:"In place of a code: the passkey that the browser created, as toJSON() gives it."`
	Name       string         `json:"name,omitzero" maxLength:"100" help:"The name under which the passkey is listed." example:"My phone"`
}

// enrolmentView is what an authenticator or a passkey is set up from; it is shown once.
type enrolmentView struct {
	Secret    string         `json:"secret,omitzero" help:"For an authenticator: the secret to type where the QR code cannot be scanned."`
	URI       string         `json:"uri,omitzero" help:"The otpauth URI in the QR code."`
	QRCode    string         `json:"qrCode,omitzero" help:"The QR code as a data: URI of a PNG image."`
	PublicKey jsontext.Value `json:"publicKey,omitzero" help:"For a passkey: the argument of PublicKeyCredential.parseCreationOptionsFromJSON()."`
}

// factorRoutes returns the routes of the second factor's steps.
func factorRoutes(h handlers, step []httpapi.Answer) []httpapi.Route {
	ticket := httpapi.Problem{Kind: fault.Unauthenticated, Code: "ticket", When: "The ticket is wrong, has expired or " +
		"was used."}
	return []httpapi.Route{
		{
			Key: "POST /api/login/second-factor", Needs: access.Public, Handle: h.secondFactor,
			Doc: httpapi.Operation{
				Tag: tag, ID: "proveSecondFactor", Secret: true,
				Summary:     "Take the step secondFactor",
				Description: "Each code counts as an attempt and is valid once. A wrong code leaves the ticket valid.",
				Body:        secondFactorBody{}, Answers: step,
				Problems: []httpapi.Problem{
					ticket,
					{Kind: fault.Unauthenticated, Code: "code", When: "The code is wrong or was already used."},
					{
						Kind: fault.Unauthenticated, Code: "factorEnded",
						When: "100 wrong codes in a row: an administrator has to remove the second factor.",
					},
					{
						Kind: fault.TooManyRequests, Code: "factorPaused",
						When: "Five wrong codes in a row: no code is accepted for 15 minutes.",
					},
					{
						Kind: fault.Unauthenticated, Code: "passkey",
						When: "The passkey is not the account's, answers another challenge, or may have been copied.",
					},
					{
						Kind: fault.Unauthenticated, Code: "mailCode",
						When: "No code was mailed for this sign-in, or it has expired, was replaced, was used, or was tried five " +
							"times.",
					},
					{
						Kind: fault.Invalid, Code: "invalid",
						When: "The method is unknown, or the code or the credential is malformed.",
					},
				},
			},
		},
		{
			Key: "POST /api/login/second-factor/set-up", Needs: access.Public, Handle: h.beginEnrolment,
			Doc: httpapi.Operation{
				Tag: tag, ID: "beginSecondFactorSetUp", Secret: true,
				Summary: "Begin the step setUpSecondFactor",
				Description: "Returns what an authenticator or a passkey is set up from. The ticket stays valid, for the " +
					"confirmation or to begin again.",
				Body: setUpBody{}, Answers: []httpapi.Answer{{Status: http.StatusOK, Body: enrolmentView{}}},
				Problems: []httpapi.Problem{
					ticket, noPasskeys(),
					{Kind: fault.Invalid, Code: "invalid", When: "The method cannot be set up here."},
				},
			},
		},
		{
			Key: "POST /api/login/second-factor/confirm", Needs: access.Public, Handle: h.confirmEnrolment,
			Doc: httpapi.Operation{
				Tag: tag, ID: "confirmSecondFactorSetUp", Secret: true,
				Summary: "Take the step setUpSecondFactor",
				Description: "One right code of the authenticator, or the new passkey, completes the set-up. The recovery " +
					"codes are in this answer only.",
				Body: confirmBody{}, Answers: step,
				Problems: []httpapi.Problem{
					ticket,
					{Kind: fault.Invalid, Code: "invalid", When: "The code or the credential is wrong or malformed."},
					{
						Kind: fault.Conflict, Code: "noSetUp",
						When: "No set-up was begun, it has expired, or too many codes were tried. Begin it again.",
					},
				},
			},
		},
	}
}

func (h handlers) secondFactor(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in secondFactorBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	with := signin.SecondFactorResponse{Method: in.Method, Code: in.Code, Credential: in.Credential, Remember: in.Remember}
	return respondStep(r)(h.Factors.VerifySecondFactor(ctx, in.Ticket, with, r.ClientInfo("")))
}

func (h handlers) beginEnrolment(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in setUpBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	shown, err := h.Factors.BeginEnrolment(ctx, in.Ticket, in.Method)
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.OK(
		enrolmentView{Secret: shown.Secret, URI: shown.URI, QRCode: shown.QR, PublicKey: shown.PasskeyOptions}), nil
}

func (h handlers) confirmEnrolment(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in confirmBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	return respondStep(r)(
		h.Factors.ConfirmEnrolment(ctx, in.Ticket,
			signin.EnrolmentResponse{Code: in.Code, Credential: in.Credential, Name: in.Name}, r.ClientInfo("")))
}

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
	Ticket string     `json:"ticket" maxLength:"256" help:"The ticket of the step before." example:"uat_AZ..."`
	Method mfa.Method `json:"method" enum:"passkey|totp|recoveryCode|emailCode" example:"totp"`
	Code   string     `json:"code,omitzero" maxLength:"64" help:"The six digits that the authenticator shows or that were mailed, or a recovery code." example:"123456"`
	// Credential is any JSON: browsers add members to it in time.
	Credential jsontext.Value `json:"credential,omitzero" help:"For a passkey: the PublicKeyCredential that the browser returned, by its toJSON()."`
	Remember   bool           `json:"remember,omitzero" help:"Remember this device: its next sign-ins need no second factor, for as many days as the environment allows."`
}

type ticketBody struct {
	Ticket string `json:"ticket" maxLength:"256" help:"The ticket of the step before." example:"uat_AZ..."`
}

type setUpBody struct {
	Ticket string     `json:"ticket" maxLength:"256" help:"The ticket of the step before." example:"uat_AZ..."`
	Method mfa.Method `json:"method,omitzero" enum:"totp|passkey" help:"What to set up; an authenticator unless it says otherwise."`
}

type confirmBody struct {
	Ticket     string         `json:"ticket" maxLength:"256" help:"The ticket of the step before." example:"uat_AZ..."`
	Code       string         `json:"code,omitzero" maxLength:"64" help:"The six digits that the authenticator shows." example:"123456"`
	Credential jsontext.Value `json:"credential,omitzero" help:"In place of a code: the passkey that the browser made, by its toJSON()."`
	Name       string         `json:"name,omitzero" maxLength:"100" help:"What the passkey is to be listed as." example:"My phone"`
}

// enrolmentView is what an authenticator or a passkey is set up from; it is shown once.
type enrolmentView struct {
	Secret    string         `json:"secret,omitzero" help:"Of an authenticator: for typing, where no QR code can be read."`
	URI       string         `json:"uri,omitzero" help:"What the QR code says: an otpauth address."`
	QRCode    string         `json:"qrCode,omitzero" help:"The QR code as a data: address of a PNG image."`
	PublicKey jsontext.Value `json:"publicKey,omitzero" help:"Of a passkey: for PublicKeyCredential.parseCreationOptionsFromJSON()."`
}

// factorRoutes are the steps of the second factor.
func factorRoutes(h handlers, step []httpapi.Answer) []httpapi.Route {
	ticket := httpapi.Problem{Kind: fault.Unauthenticated, Code: "ticket", When: "The ticket is wrong, over, or was used."}
	return []httpapi.Route{
		{
			Key: "POST /api/login/second-factor", Needs: access.Public, Handle: h.secondFactor,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Take the step secondFactor",
				Description: "A code counts as a try before it is looked at, and is good once. A wrong one leaves the ticket good.",
				Body:        secondFactorBody{}, Answers: step,
				Problems: []httpapi.Problem{
					ticket,
					{Kind: fault.Unauthenticated, Code: "code", When: "The code is not right, or was used already."},
					{Kind: fault.Unauthenticated, Code: "factorEnded",
						When: "100 wrong codes came in a row: an administrator has to remove the second factor."},
					{Kind: fault.TooManyRequests, Code: "factorPaused",
						When: "Five wrong codes came in a row: codes are tried again after 15 minutes."},
					{Kind: fault.Unauthenticated, Code: "passkey",
						When: "The passkey is not the account's, was asked for something else, or may have a copy."},
					{Kind: fault.Unauthenticated, Code: "mailCode",
						When: "No code was mailed for this sign-in, or it is over, replaced, used, or was tried five times."},
					{Kind: fault.Invalid, Code: "invalid",
						When: "The method is unknown, or the code or the credential has not its form."},
				},
			},
		},
		{
			Key: "POST /api/login/second-factor/set-up", Needs: access.Public, Handle: h.beginEnrolment,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Begin the step setUpSecondFactor",
				Description: "The answer is what an authenticator or a passkey is set up from. The ticket stays good: for the " +
					"confirmation, or to begin again.",
				Body: setUpBody{}, Answers: []httpapi.Answer{{Status: http.StatusOK, Body: enrolmentView{}}},
				Problems: []httpapi.Problem{ticket, noPasskeys(),
					{Kind: fault.Invalid, Code: "invalid", When: "The method is none that can be set up here."}},
			},
		},
		{
			Key: "POST /api/login/second-factor/confirm", Needs: access.Public, Handle: h.confirmEnrolment,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Take the step setUpSecondFactor",
				Description: "One good code of the authenticator, or the passkey that was made, ends the set-up. The answer has " +
					"the recovery codes, this once.",
				Body: confirmBody{}, Answers: step,
				Problems: []httpapi.Problem{
					ticket,
					{Kind: fault.Invalid, Code: "invalid", When: "The code or the credential is not right, or has not its form."},
					{Kind: fault.Conflict, Code: "noSetUp",
						When: "No set-up was begun, it is over, or too many codes were tried; begin it again."},
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
	return respondStep(r)(h.service.VerifySecondFactor(ctx, in.Ticket, with, r.ClientInfo("")))
}

func (h handlers) beginEnrolment(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in setUpBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	shown, err := h.service.BeginEnrolment(ctx, in.Ticket, in.Method)
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
		h.service.ConfirmEnrolment(ctx, in.Ticket,
			signin.EnrolmentResponse{Code: in.Code, Credential: in.Credential, Name: in.Name}, r.ClientInfo("")))
}

// Package api is the routes of the mfa function: decode, call factor.Service or account.Service, encode.
package api

import (
	"net/http"
	"slices"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/factor"
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
)

const tag = "Second factor"

// Routes returns the route table over the services: own for the caller's second factor, accounts for those of others.
func Routes(own *factor.Service, accounts *account.Service) []httpapi.Route {
	h := handlers{own, accounts}
	return slices.Concat(ownRoutes(h), passkeyRoutes(h, proof()), accountRoutes(h))
}

// proof returns the problems of routes that need a fresh proof of the caller.
func proof() []httpapi.Problem {
	return []httpapi.Problem{
		{Kind: fault.Forbidden, Code: "proofNeeded", When: "You last confirmed who you are longer ago than the " +
			"setting confirmAgainMinutes says, and sent no password. Confirm by POST /api/me/proof and repeat the request."},
		{Kind: fault.Invalid, Code: "invalid", When: "The password is wrong; it counts as a failed sign-in."},
	}
}

// lastSignInMethod is the problem of a change that would leave the caller without a sign-in method.
var lastSignInMethod = httpapi.Problem{
	Kind: fault.Conflict, Code: "lastWayIn",
	//nolint:gochecknoglobals // a constant in all but name
	When: "It would remove your last passkey, and you have neither a password nor an identity at an enabled provider.",
}

func ownRoutes(h handlers) []httpapi.Route {
	proof := proof()
	none := []httpapi.Answer{{Status: http.StatusNoContent}}
	codes := []httpapi.Answer{{Status: http.StatusOK, Body: codesView{}}}
	return []httpapi.Route{
		{Key: "GET /api/me/mfa", Needs: access.SignedIn, NoKeys: true, Handle: h.ownStatus, Doc: httpapi.Operation{
			Tag: tag, ID: "getMySecondFactor",
			Summary: "My second factor", Answers: []httpapi.Answer{{Status: http.StatusOK, Body: view{}}},
		}},
		{Key: "POST /api/me/mfa/totp", Needs: access.SignedIn, NoKeys: true, Handle: h.beginTOTP, Doc: httpapi.Operation{
			Tag: tag, ID: "beginMyAuthenticator", Secret: true,
			Summary: "Begin to set up an authenticator",
			Description: "Returns what the authenticator is set up from, shown once. The present authenticator is valid " +
				"until the new one is confirmed.",
			Body: proofBody{}, Answers: []httpapi.Answer{{Status: http.StatusOK, Body: enrolmentView{}}}, Problems: proof,
		}},
		{
			Key: "POST /api/me/mfa/totp/confirm", Needs: access.SignedIn, NoKeys: true, Handle: h.confirmTOTP,
			Doc: httpapi.Operation{
				Tag: tag, ID: "confirmMyAuthenticator", Secret: true,
				Summary: "Confirm the authenticator",
				Description: "One right code, within 15 minutes of the beginning. The new recovery codes are in this answer " +
					"only.",
				Body: codeBody{}, Answers: codes, Problems: []httpapi.Problem{
					{Kind: fault.Invalid, Code: "invalid", When: "The code is wrong or malformed."},
					{
						Kind: fault.Conflict, Code: "noSetUp",
						When: "No set-up was begun, it has expired, or too many codes were tried. Begin it again.",
					},
				},
			},
		},
		{
			Key: "POST /api/me/mfa/recovery-codes", Needs: access.SignedIn, NoKeys: true, Handle: h.regenerateCodes,
			Doc: httpapi.Operation{
				Tag: tag, ID: "createMyRecoveryCodes", Secret: true,
				Summary: "Create new recovery codes", Description: "Ten codes, shown once. The previous ones are no " +
					"longer valid.",
				Body: proofBody{}, Answers: codes,
				Problems: append(
					[]httpapi.Problem{{Kind: fault.Conflict, Code: "noSecondFactor", When: "There is no second factor."}}, proof...),
			},
		},
		{Key: "POST /api/me/mfa/remove", Needs: access.SignedIn, NoKeys: true, Handle: h.removeOwn, Doc: httpapi.Operation{
			Tag: tag, ID: "removeMySecondFactor",
			Summary: "Remove my second factor",
			Description: "Also removes recovery codes and trusted devices. Every session ends, this one too. Where a " +
				"second factor is required, the next sign-in leads to setting one up.",
			Body: proofBody{}, Answers: none, Problems: append([]httpapi.Problem{lastSignInMethod}, proof...),
		}},
		{
			Key: "DELETE /api/me/mfa/devices", Needs: access.SignedIn, NoKeys: true, Handle: h.forgetOwnDevices,
			Doc: httpapi.Operation{
				Tag: tag, ID: "deleteMyTrustedDevices",
				Summary:     "Delete my trusted devices",
				Description: "Deletes all of them: each needs the second factor at its next sign-in.",
				Body:        proofBody{}, BodyOptional: true, Answers: none, Problems: proof,
			},
		},
		{
			Key: "DELETE /api/me/mfa/devices/{deviceId}", Needs: access.SignedIn, NoKeys: true, Handle: h.forgetOwnDevice,
			Doc: httpapi.Operation{
				Tag: tag, ID: "deleteMyTrustedDevice",
				Summary: "Delete one of my trusted devices", Body: proofBody{}, BodyOptional: true, Answers: none,
				Problems: proof,
			},
		},
	}
}

func accountRoutes(h handlers) []httpapi.Route {
	guards := []httpapi.Problem{
		{Kind: fault.Forbidden, Code: "administrator", When: "The account is an administrator's and you are not one."},
		{Kind: fault.Forbidden, Code: "aboveOwnRights", When: "The account holds permissions that you do not."},
		{Kind: fault.Conflict, Code: "self", When: "The account is your own."},
		{Kind: fault.Conflict, Code: "apiOnly", When: "The account's licence is for API clients only."},
	}
	guards = append(guards, proof()...)
	state := []httpapi.Answer{{Status: http.StatusOK, Body: view{}, ETag: true}}
	return []httpapi.Route{
		{
			Key: "GET /api/accounts/{id}/mfa", Needs: access.AccountRead, NoKeys: true, Handle: h.accountStatus,
			Doc: httpapi.Operation{
				Tag: tag, ID: "getSecondFactor",
				Summary:     "An account's second factor",
				Description: "Methods, the number of recovery codes left, trusted devices.", Answers: state,
			},
		},
		{
			Key: "POST /api/accounts/{id}/mfa/remove", Needs: access.AccountPassword, NoKeys: true, Handle: h.remove,
			Doc: httpapi.Operation{
				Tag: tag, ID: "removeSecondFactor",
				Summary: "Remove an account's second factor",
				Description: "Removes methods, recovery codes and trusted devices; whether a second factor is required " +
					"stays. Every session of the account ends.",
				IfMatchOptional: true, Body: proofBody{}, BodyOptional: true, Answers: state, Problems: guards,
			},
		},
		{
			Key: "POST /api/accounts/{id}/mfa/do-not-enforce", Needs: access.AccountPassword, NoKeys: true, Handle: h.exempt,
			Doc: httpapi.Operation{
				Tag: tag, ID: "exemptFromSecondFactor",
				Summary: "Do not enforce a second factor",
				Description: "Clears MFA required on the account, and overrides the environment's default until it is set " +
					"again.",
				IfMatchOptional: true, Body: proofBody{}, BodyOptional: true, Answers: state, Problems: guards,
			},
		},
		{
			Key: "DELETE /api/accounts/{id}/mfa/devices", Needs: access.AccountPassword, NoKeys: true, Handle: h.forgetDevices,
			Doc: httpapi.Operation{
				Tag: tag, ID: "deleteTrustedDevices",
				Summary: "Delete an account's trusted devices", IfMatchOptional: true,
				Body: proofBody{}, BodyOptional: true, Answers: []httpapi.Answer{{Status: http.StatusNoContent}},
				Problems: append(guards[:1:1], proof()...),
			},
		},
		{
			Key: "DELETE /api/accounts/{id}/mfa/devices/{deviceId}", Needs: access.AccountPassword, NoKeys: true,
			Handle: h.forgetDevice, Doc: httpapi.Operation{
				Tag: tag, ID: "deleteTrustedDevice",
				Summary: "Delete one of an account's trusted devices", Body: proofBody{}, BodyOptional: true,
				Answers: []httpapi.Answer{{Status: http.StatusNoContent}}, Problems: proof(),
			},
		},
	}
}

package api

import (
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
)

// These are the problems that several routes can answer.

func notFoundProblem() httpapi.Problem {
	return httpapi.Problem{Kind: fault.NotFound, Code: "notFound", When: "There is no such account."}
}

func administratorProblem() httpapi.Problem {
	return httpapi.Problem{Kind: fault.Forbidden, Code: "administrator",
		When: "The account belongs to an administrator and you are not one."}
}

func rightsProblem() httpapi.Problem {
	return httpapi.Problem{Kind: fault.Forbidden, Code: "aboveOwnRights",
		When: "The account holds permissions that you do not hold."}
}

func selfProblem(when string) httpapi.Problem {
	return httpapi.Problem{Kind: fault.Conflict, Code: "self", When: when}
}

func takenProblem() httpapi.Problem {
	return httpapi.Problem{Kind: fault.Conflict, Code: "taken",
		When: "Another account has the username or the email, as its username or its email, in any spelling."}
}

func seatsProblem() httpapi.Problem {
	return httpapi.Problem{Kind: fault.Conflict, Code: "seats", When: "All seats of the licence are in use."}
}

func apiOnlyProblem() httpapi.Problem {
	return httpapi.Problem{Kind: fault.Conflict, Code: "apiOnly",
		When: "The account's licence is for API clients only, which have no password."}
}

func invalidProblem(when string) httpapi.Problem {
	return httpapi.Problem{Kind: fault.Invalid, Code: "invalid", When: when}
}

func invalidFieldsProblem() httpapi.Problem {
	return invalidProblem("Some fields are invalid; see `fields`.")
}

// unlockLocked is when a password together with unlock is refused.
const unlockLocked = "The account is locked and unlock is true: unlock the account first."

func lockedProblem(when string) httpapi.Problem {
	return httpapi.Problem{Kind: fault.Conflict, Code: "locked", When: when}
}

// proofProblem is the problem of acts that need a fresh proof of the caller.
func proofProblem() httpapi.Problem {
	return httpapi.Problem{
		Kind: fault.Forbidden, Code: "proofNeeded",
		When: "It changes who can sign in as whom, and you last confirmed who you are longer ago than the setting " +
			"confirmAgainMinutes says. Confirm by POST /api/me/proof and repeat the request.",
	}
}

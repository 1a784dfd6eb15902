// Package credential is the one rule about acts that decide who can sign in as whom: setting a password, changing an
// address, linking an identity, giving an administrator's rights. Every door to such an act (its own route, a change
// of fields, bulk, copy, import, undo, an API key) asks Check; what the rule is for each act stands in Rules.
//
// It knows neither the store nor HTTP, and nothing of an account but what the rules need (Target).
package credential

import (
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/fault"
)

// Act is something done to an account, or to the environment, that decides who can sign in as whom.
type Act string

// The acts, in the order of their table.
const (
	SetPassword    Act = "setPassword"
	ResetPassword  Act = "resetPassword"
	MailPassword   Act = "mailPassword"
	RemoveFactor   Act = "removeFactor"
	WaiveFactor    Act = "waiveFactor" // MFA required from yes to no, or no longer enforced
	RemoveDevices  Act = "removeDevices"
	ChangeIdentity Act = "changeIdentity" // the username or email of an account that exists
	ChangeOwnEmail Act = "changeOwnEmail"
	ChangeOwn      Act = "changeOwn" // one's own factors, devices and links
	LinkIdentity   Act = "linkIdentity"
	UnlinkIdentity Act = "unlinkIdentity"
	GrantAccess    Act = "grantAccess" // roles, groups, DAC groups, delegations
	CreateKey      Act = "createKey"
	LockKey        Act = "lockKey"
	SwitchAPIOnly  Act = "switchAPIOnly" // a licence that is for API clients only, or no longer one
	CloseSessions  Act = "closeSessions"
	WeakenSignIn   Act = "weakenSignIn" // settings that weaken sign-in, providers
)

// Keys says what an act is to callers that come by an API key.
type Keys int

// What API keys may do. The zero value keeps them out.
const (
	KeysNever Keys = iota
	// KeysNotForAdministrators lets a key do it that holds the permission, but not to an administrator. Rights that no
	// key can hold are left out of the comparison of rights.
	KeysNotForAdministrators
	// KeysAsOwnRights lets a key do what its own rights allow.
	KeysAsOwnRights
)

// Proof says when an act needs a fresh proof of who the person is.
type Proof int

// When a proof is needed. Callers by an API key have none to give: what they may do is Keys.
const (
	NoProof Proof = iota
	AlwaysProof
	// ProofToMakeAdministrator needs it where the act gives account.admin.
	ProofToMakeAdministrator
)

// Rule is what one act needs.
type Rule struct {
	// Permission is the right that the caller has to hold, empty for none beyond that of the route.
	Permission access.Permission
	// NotAboveOwnRights refuses the act on an account with rights that the caller lacks, AdministratorsOnly on an
	// administrator to whom is none, NotOneself on the caller's own account.
	NotAboveOwnRights, AdministratorsOnly, NotOneself bool
	// Proof says when a person needs a fresh proof of who they are (CheckProof).
	Proof Proof
	Keys  Keys
	// Unused allows the act only while nobody ever signed in to the account and it has nothing to sign in with.
	Unused bool
	// Notice says that the owner of the account is told by mail, in the write of the act.
	Notice bool
	// Phrase is the act in words, as in "You cannot … an account that …".
	Phrase string
}

// Rules returns what every act needs.
func Rules() map[Act]Rule {
	password := Rule{Permission: access.AccountPassword, NotAboveOwnRights: true, AdministratorsOnly: true,
		NotOneself: true, Notice: true}
	set := password
	set.Proof = AlwaysProof
	set.Phrase = "set the password of"
	mailed := password
	mailed.Phrase = "send a link to set the password of"
	remove, waive, devices := set, set, set
	remove.Phrase = "remove the second factor of"
	waive.Phrase = "stop enforcing the second factor of"
	devices.Phrase = "remove the trusted devices of"
	link := Rule{Permission: access.AccountLink, NotAboveOwnRights: true, AdministratorsOnly: true, NotOneself: true,
		Proof: AlwaysProof, Notice: true, Phrase: "link an identity to"}
	unlink := link
	unlink.Phrase = "remove a link of"
	lock := Rule{Permission: access.AccountKey, NotAboveOwnRights: true, AdministratorsOnly: true, Notice: true,
		Phrase: "lock a key of"}
	create := lock
	create.Proof, create.Phrase = AlwaysProof, "create a key for"
	return map[Act]Rule{
		SetPassword: set, ResetPassword: set, MailPassword: mailed,
		RemoveFactor: remove, WaiveFactor: waive, RemoveDevices: devices,
		ChangeIdentity: {Permission: access.AccountIdentity, NotAboveOwnRights: true, AdministratorsOnly: true,
			Proof: AlwaysProof, Keys: KeysNotForAdministrators, Notice: true, Phrase: "change the username or email of"},
		ChangeOwnEmail: {Proof: AlwaysProof, Notice: true, Phrase: "change the email of"},
		ChangeOwn:      {Proof: AlwaysProof, Notice: true, Phrase: "change how people sign in to"},
		LinkIdentity:   link, UnlinkIdentity: unlink,
		GrantAccess: {Permission: access.AccountUpdate, AdministratorsOnly: true,
			Proof: ProofToMakeAdministrator, Keys: KeysAsOwnRights, Phrase: "give rights to"},
		CreateKey: create, LockKey: lock,
		SwitchAPIOnly: {Permission: access.AccountUpdate, AdministratorsOnly: true, Keys: KeysAsOwnRights, Unused: true,
			Phrase: "change the licence of"},
		CloseSessions: {Permission: access.AccountSession, AdministratorsOnly: true, Phrase: "close the sessions of"},
		WeakenSignIn:  {Permission: access.AccountAdmin, Proof: AlwaysProof, Phrase: "weaken the sign-in of"},
	}
}

// Target is what the rules need to know of the account that an act is done to. Acts on the environment have none.
type Target struct {
	AccountID, Username string
	// Rights are the account's effective permissions as it is.
	Rights access.Set
	// GivesOneself says what the act gives that the account does not hold yet, such as a DAC group: words for the
	// fault, empty for nothing. Permissions are not among it; they are compared with the caller's own.
	GivesOneself string
	// MakesAdministrator says that the act gives account.admin to an account that does not hold it.
	MakesAdministrator bool
	// Used says that somebody signed in to the account, or that it has a password, a factor, a link or a key.
	Used bool
}

// Check returns nil if the caller may do the act to the target, else a fault that says which permission, person or
// proof is needed. now is the present.
func Check(sc access.Scope, act Act, target Target, now time.Time) error {
	if err := Permits(sc, act, target); err != nil {
		return err
	}
	if sc.Caller.KeyID == "" && NeedsProof(act, target) {
		return CheckProof(sc, now)
	}
	return nil
}

// NeedsProof reports whether a person needs a fresh proof for the act, fresh or not as theirs may be.
func NeedsProof(act Act, target Target) bool {
	proof := Rules()[act].Proof
	return proof == AlwaysProof || proof == ProofToMakeAdministrator && target.MakesAdministrator
}

// Permits is Check without the proof: for what shows beforehand what could be done.
func Permits(sc access.Scope, act Act, target Target) error {
	rule, ok := Rules()[act]
	if !ok {
		return fault.New(fault.Forbidden, "forbidden", "Nobody is allowed to do this.")
	}
	if err := rule.checkCaller(sc.Caller, target); err != nil {
		return err
	}
	return rule.checkTarget(sc, target)
}

// CheckProof returns a fault unless the caller proved who they are within the minutes that the environment sets (C15,
// ASVS 7.5.1). It fails closed: who comes by an API key has no such proof.
func CheckProof(sc access.Scope, now time.Time) error {
	window := sc.Env.Settings.ConfirmAgainAfter()
	if sc.Caller.KeyID == "" && sc.Caller.RecentlyAuthenticated(now, window) {
		return nil
	}
	minutes := int(window / time.Minute)
	return fault.New(fault.Forbidden, CodeProofNeeded,
		"Confirm that it is you: this needs your password or passkey from at most %d %s ago. Confirm it and try again.",
		minutes, map[bool]string{true: "minute", false: "minutes"}[minutes == 1])
}

// CodeProofNeeded is the code of the fault that asks for a fresh proof.
const CodeProofNeeded = "proofNeeded"

// checkCaller holds the rules about who does it.
func (r Rule) checkCaller(caller access.Caller, target Target) error {
	byKey := caller.KeyID != ""
	if byKey && (r.Keys == KeysNever || r.Keys == KeysNotForAdministrators && target.Rights.Has(access.AccountAdmin)) {
		return fault.New(fault.Forbidden, "keyNotAllowed",
			"API keys cannot %s this account, whatever permissions they have. Sign in as a person instead.", r.Phrase)
	}
	if r.Permission != "" && !caller.May(r.Permission) {
		return fault.New(fault.Forbidden, "forbidden", "This needs the permission %s, which you do not hold.", r.Permission)
	}
	return nil
}

// checkTarget holds the rules about to whom.
func (r Rule) checkTarget(sc access.Scope, target Target) error {
	caller := sc.Caller
	rights := target.Rights
	switch {
	case r.NotOneself && target.AccountID == caller.AccountID:
		return fault.New(fault.Conflict, "self",
			"This is your own account; change how you sign in under your own settings.")
	case target.GivesOneself != "" && target.AccountID == caller.AccountID:
		return fault.New(fault.Conflict, "self", "You cannot give yourself %s; another administrator can.",
			target.GivesOneself)
	case r.AdministratorsOnly && rights.Has(access.AccountAdmin) && !caller.May(access.AccountAdmin):
		return fault.New(fault.Forbidden, "administrator", "%s is an administrator; only another administrator can do this.",
			target.Username)
	case r.Unused && target.Used:
		return Used(target.Username)
	case r.NotAboveOwnRights:
		if caller.KeyID != "" {
			rights = rights.ForAPIKeys()
		}
		if len(access.AboveOwnRights(sc.Catalogue, caller, rights)) > 0 {
			return fault.New(fault.Forbidden, "aboveOwnRights",
				"You cannot %s an account that holds permissions you do not hold yourself.", r.Phrase)
		}
	}
	return nil
}

// Used is the fault of an account that cannot become a program's, or a person's, because it has been in use.
func Used(username string) error {
	return fault.New(fault.Conflict, "used",
		"%s has been used, or has a password, a second factor, a link or a key, so it stays what it is: a person's "+
			"account or "+
			"a program's. Create a separate account for the program.", username)
}

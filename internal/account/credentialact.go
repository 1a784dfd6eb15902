package account

import (
	"slices"
	"strings"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/credential"
	"useraccounts/internal/mail"
)

// credentialTarget returns what the rules about credential acts need to know of an account.
func credentialTarget(sc access.Scope, a Account) credential.Target {
	return credential.Target{
		AccountID: a.ID, Username: a.Username, Rights: access.Permissions(sc.Catalogue, a.Roles, a.Groups),
		Used: a.PasswordHash != "" || a.MFAEnabled || len(a.LinkedProviders) > 0 || !a.LastLogin.IsZero(),
	}
}

// CheckCredentialAct holds the one rule about an act that decides who can sign in as an account
// (credential.Check). It returns the fault that says which permission, person or proof is needed.
func CheckCredentialAct(sc access.Scope, act credential.Act, target Account, now time.Time) error {
	return credential.Check(sc, act, credentialTarget(sc, target), now)
}

// PermitsCredentialAct is CheckCredentialAct without the proof: for what shows beforehand what could be done.
func PermitsCredentialAct(sc access.Scope, act credential.Act, target Account) error {
	return credential.Permits(sc, act, credentialTarget(sc, target))
}

// changeActs returns the credential acts that a change of fields comes to, each with its target. PATCH, bulk, copies,
// rows of an import and an undo all come through here, so none of them is a way around the route of the act.
func changeActs(sc access.Scope, before, after Account) map[credential.Act]credential.Target {
	acts, target := map[credential.Act]credential.Target{}, credentialTarget(sc, before)
	switch email, username := before.Email != after.Email, before.Username != after.Username; {
	case username, email && before.ID != sc.Caller.AccountID:
		acts[credential.ChangeIdentity] = target
	case email:
		acts[credential.ChangeOwnEmail] = target
	}
	if becomesAPIOnly(sc, before, after) || becomesAPIOnly(sc, after, before) {
		acts[credential.SwitchAPIOnly] = target
	} else if before.MFARequired && !after.MFARequired {
		acts[credential.WaiveFactor] = target
	}
	if adds(before.Roles, after.Roles) || adds(before.Groups, after.Groups) || adds(before.DACGroups, after.DACGroups) {
		granted := target
		granted.MakesAdministrator = makesAdministrator(sc, before, after)
		if gained := added(before.DACGroups, after.DACGroups); len(gained) > 0 {
			granted.GivesOneself = "the DAC group " + strings.Join(gained, ", ")
		}
		acts[credential.GrantAccess] = granted
	}
	return acts
}

// changeNotices returns the mails that tell the owner of the credential acts that a change of fields comes to.
func (s *Service) changeNotices(sc access.Scope, before, after Account) []mail.Message {
	now := s.now()
	mails := s.Mail.IdentityChanged(sc.Env, before.Addressee(), after.Addressee(), now)
	if _, waived := changeActs(sc, before, after)[credential.WaiveFactor]; waived {
		mails = append(mails, s.Mail.Notice(sc.Env, mail.FactorExempt, after.Addressee(), now, "")...)
	}
	return mails
}

// makesAdministrator reports whether a change gives account.admin.
func makesAdministrator(sc access.Scope, before, after Account) bool {
	had := access.Permissions(sc.Catalogue, before.Roles, before.Groups)
	return access.Permissions(sc.Catalogue, after.Roles, after.Groups).Has(access.AccountAdmin) &&
		!had.Has(access.AccountAdmin)
}

func adds(had, has []string) bool { return len(added(had, has)) > 0 }

// added returns the codes that has holds and had does not.
func added(had, has []string) []string {
	return slices.DeleteFunc(slices.Clone(has), func(code string) bool { return catalogue.ContainsCode(had, code) })
}

// checkActs checks the credential acts of a change, in the order of their names, so that one change always gets the
// same answer.
func checkActs(sc access.Scope, acts map[credential.Act]credential.Target, now time.Time) error {
	names := make([]credential.Act, 0, len(acts))
	for act := range acts {
		names = append(names, act)
	}
	slices.Sort(names)
	for _, act := range names {
		if err := credential.Check(sc, act, acts[act], now); err != nil {
			return err
		}
	}
	return nil
}

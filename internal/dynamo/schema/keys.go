// Package schema is what the table stores: the key of every item, and the items that several stores read or write.
//
// A name such as Session is the item of a thing, SessionOf the thing of an item, and SessionKey its key.
package schema

import (
	"encoding/hex"
	"fmt"
	"strings"

	"useraccounts/internal/catalogue"
	"useraccounts/internal/dynamo/table"
)

// Sort keys, and what they begin with.
const (
	// HeadSK is beside a lot of items and says something of all of them.
	HeadSK = "HEAD"
	// AnchorSK and those below are within an account's partition, unless they say otherwise.
	AnchorSK = "A"
	// assignmentCounterSK is beside HEAD, with a number.
	assignmentCounterSK = "CODES#"
	loginSK             = "K"
	SessionSK           = "S#"
	TicketSK            = "T#"
	EventSK             = "E#"
	APIKeySK            = "P#"
	APIKeyCountSK       = "P"
	// resourceNumberSK is beside HEAD.
	resourceNumberSK = "RESOURCES"
	// overviewSK is beside HEAD.
	overviewSK = "OVERVIEW"
	// signingKeysSK is beside HEAD.
	signingKeysSK     = "SIGNING"
	ContactSK         = "C"
	DelegationSK      = "G#"
	AccountIdentitySK = "O#"
	FactorSK          = "M#"
	TrustedDeviceSK   = "D#"
	passwordLinkSK    = "L"
	PasswordHistorySK = "H"
)

// HeadKey is the environment's settings and snapshot.
func HeadKey(env string) table.Key { return table.NewKey("E#"+env, HeadSK) }

// SigningKeysKey is the keys that sign tokens for applications.
func SigningKeysKey(env string) table.Key { return table.NewKey("E#"+env, signingKeysSK) }

// CataloguePK holds all reference data of the environment.
func CataloguePK(env string) string { return "C#" + env }

// AssignmentCounterKey is one of the counters at which writes that give codes meet changes of what may be given.
func AssignmentCounterKey(env string, n int) table.Key {
	return table.NewKey("E#"+env, fmt.Sprintf("%s%d", assignmentCounterSK, n))
}

// SeatAttribute is the attribute of such a counter that counts the seats in use of a licence, by its folded code.
func SeatAttribute(licence string) string { return "seat:" + licence }

// EnvironmentLogPK holds the environment's own log: what was changed of its settings and reference data.
func EnvironmentLogPK(env string) string { return "G#" + env }

// EnvironmentLogKey is an event in that log.
func EnvironmentLogKey(env, id string) table.Key {
	return table.NewKey(EnvironmentLogPK(env), EventSK+id)
}

// EntryKey is one code of reference data; codes compare folded.
func EntryKey(env string, kind catalogue.Kind, code string) table.Key {
	return table.NewKey(CataloguePK(env), string(kind)+"#"+catalogue.Fold(code))
}

// DirectoryPK holds all accounts of the environment in the order of their usernames. It is one partition key because a
// page has to be read strongly and merged from as few as possible; without an index DynamoDB splits it by sort key.
func DirectoryPK(env string) string { return "D#" + env }

// RowKey is an account's place in the directory, by its normalised username.
func RowKey(env, username string) table.Key { return table.NewKey(DirectoryPK(env), username) }

// LoginKey is the claim on an identifier that could be an email, normalised.
func LoginKey(env, identifier string) table.Key {
	return table.NewKey("L#"+env+"#"+identifier, loginSK)
}

// AccountPK holds what belongs to one account besides its directory row.
func AccountPK(id string) string { return "U#" + id }

// AnchorKey is an account's anchor: what every request needs of it.
func AnchorKey(id string) table.Key { return table.NewKey(AccountPK(id), AnchorSK) }

// SessionKey is a session of an account.
func SessionKey(account, id string) table.Key { return table.NewKey(AccountPK(account), SessionSK+id) }

// TicketKey is the ticket to the next step of a sign-in.
func TicketKey(account, id string) table.Key { return table.NewKey(AccountPK(account), TicketSK+id) }

// FactorKey is an account's second factor: the sealed seed, the last time step used, the tries, and the passkeys, which
// are read by everybody who signs in anyway.
func FactorKey(account string) table.Key { return table.NewKey(AccountPK(account), FactorSK+"TOTP") }

// PendingTOTPKey is an authenticator whose set-up is not confirmed yet.
func PendingTOTPKey(account string) table.Key {
	return table.NewKey(AccountPK(account), FactorSK+"PENDING")
}

// RecoveryCodesKey is the recovery codes, which most sign-ins need not read.
func RecoveryCodesKey(account string) table.Key {
	return table.NewKey(AccountPK(account), FactorSK+"CODES")
}

// PendingPasskeyKey is the challenge for a passkey that is being set up or used.
func PendingPasskeyKey(account string) table.Key {
	return table.NewKey(AccountPK(account), FactorSK+"ASKED")
}

// MailCodeKey is the code that was mailed last.
func MailCodeKey(account string) table.Key { return table.NewKey(AccountPK(account), FactorSK+"MAIL") }

// PasskeyChallengeKey is a challenge to sign in by a passkey, by its digest.
func PasskeyChallengeKey(env string, digest []byte) table.Key {
	return table.NewKey("H#"+env+"#"+hex.EncodeToString(digest), loginSK)
}

// TrustedDeviceKey is a trusted device of an account.
func TrustedDeviceKey(account, id string) table.Key {
	return table.NewKey(AccountPK(account), TrustedDeviceSK+id)
}

// APIKeyKey is an API key of an account. The key's text holds both ids, so that one read finds it.
func APIKeyKey(account, id string) table.Key { return table.NewKey(AccountPK(account), APIKeySK+id) }

// APIKeyCountKey counts the keys created for an account. It detects that two are created at the same time.
func APIKeyCountKey(account string) table.Key { return table.NewKey(AccountPK(account), APIKeyCountSK) }

// ContactKey is an account's contact, one item.
func ContactKey(account string) table.Key { return table.NewKey(AccountPK(account), ContactSK) }

// DelegationKey is one delegation of an account.
func DelegationKey(account, id string) table.Key {
	return table.NewKey(AccountPK(account), DelegationSK+id)
}

// DelegationTargetPK holds, for each target in the environment, the accounts that it is delegated to.
func DelegationTargetPK(env string) string { return "V#" + env }

// DelegationTargetKey is the claim of an account on a target, which it can have once; codes compare folded. Ids have
// one length, so that no code with a # in it can be taken for another with an account.
func DelegationTargetKey(env, kind, code, account string) table.Key {
	return table.NewKey(DelegationTargetPK(env), kind+"#"+catalogue.Fold(code)+"#"+account)
}

// ProviderPK holds the OpenID providers of the environment.
func ProviderPK(env string) string { return "O#" + env }

// ProviderKey is an OpenID provider.
func ProviderKey(env, id string) table.Key { return table.NewKey(ProviderPK(env), id) }

// IdentityPK holds the identities at one provider that are linked to accounts: the item is the claim on the identity.
func IdentityPK(env, provider string) string { return "Y#" + env + "#" + provider }

// IdentityKey is an identity at a provider, by its object id.
func IdentityKey(env, provider, objectID string) table.Key {
	return table.NewKey(IdentityPK(env, provider), objectID)
}

// AccountIdentityKey is an account's identity at a provider, of which it has at most one.
func AccountIdentityKey(account, provider string) table.Key {
	return table.NewKey(AccountPK(account), AccountIdentitySK+provider)
}

// AuthRequestKey is an authorization request to a provider, by the digest of its state. The state itself is not stored:
// a copy of the table completes nobody's sign-in.
func AuthRequestKey(env string, state []byte) table.Key {
	return table.NewKey("Z#"+env+"#"+hex.EncodeToString(state), loginSK)
}

// EventKey is an event in an account's log.
func EventKey(account, id string) table.Key { return table.NewKey(AccountPK(account), EventSK+id) }

// ResourcePK holds all resources of the environment in the order of their codes, in one partition for the same reasons
// as the directory: a page is one strongly consistent query, and who names a resource as manager is found without an
// index.
func ResourcePK(env string) string { return "R#" + env }

// ResourceKey is a resource, by its code folded (resource.Resource.Key): the item is the claim on the code as well.
func ResourceKey(env, folded string) table.Key { return table.NewKey(ResourcePK(env), folded) }

// ResourceNumberKey holds the last number given as a resource's code. It is beside HEAD, so that no code can be its
// key.
func ResourceNumberKey(env string) table.Key { return table.NewKey("E#"+env, resourceNumberSK) }

// OverviewKey holds what the home page shows of the whole directory, and who is counting it.
func OverviewKey(env string) table.Key { return table.NewKey("E#"+env, overviewSK) }

// DailyCountPK holds one shard of the sign-ins by day; a partition for each shard keeps a busy day from being one hot
// partition.
func DailyCountPK(env string, shard int) string { return fmt.Sprintf("T#%s#%d", env, shard) }

// DailyCountKey counts a share of one day's sign-ins and failures.
func DailyCountKey(env string, shard int, date string) table.Key {
	return table.NewKey(DailyCountPK(env, shard), date)
}

// OwnSetsPK holds the private Sets of one person and, beside them, the head with their number and the person's
// defaults.
func OwnSetsPK(env, person string) string { return "Q#" + env + "#" + person }

// SharedSetsPK holds the Sets that all see, and a head with their number. No environment's id has a # in it.
func SharedSetsPK(env string) string { return "Q#" + env }

// SetKey is a Set in one of these places; an id never reads HEAD.
func SetKey(place, id string) table.Key { return table.NewKey(place, id) }

// SetsHeadKey is the item beside the Sets of a place: their number, and a person's defaults.
func SetsHeadKey(place string) table.Key { return table.NewKey(place, HeadSK) }

// JobPK holds the environment's imports and exports in the order of their ids, which is that of their creation.
func JobPK(env string) string { return "J#" + env }

// JobKey is an import or export.
func JobKey(env, id string) table.Key { return table.NewKey(JobPK(env), id) }

// OwnJobsPK holds an entry for each job of one person, in the order of their ids.
func OwnJobsPK(env, account string) string { return "J#" + env + "#BY#" + account }

// OwnJobKey is the entry of a job among those of its owner.
func OwnJobKey(env, account, id string) table.Key { return table.NewKey(OwnJobsPK(env, account), id) }

// OwnJobsReadyKey is there once every job of the environment has its entry among those of its owner.
func OwnJobsReadyKey(env string) table.Key { return table.NewKey("J#"+env+"#BY", "READY") }

// JobQueuePK holds an entry for each job that was submitted and has not ended, in the order of submission.
func JobQueuePK(env string) string { return "J#" + env + "#LINE" }

// JobQueueKey is such an entry.
func JobQueueKey(env, submitted, id string) table.Key {
	return table.NewKey(JobQueuePK(env), submitted+"#"+id)
}

// DecoyKey is where attempts for unknown users are counted, spread so that a flood of them meets no hot item.
func DecoyKey(env string, n int) table.Key { return table.NewKey("X#"+env, fmt.Sprintf("%02d", n)) }

// DecoyEventKey is where the event of an unknown user's sign-in goes. It replaces the one before.
func DecoyEventKey(env string, n int) table.Key {
	return table.NewKey("X#"+env, fmt.Sprintf("%s%02d", EventSK, n))
}

// RequestCountKey counts the requests of one network address in one window of time.
func RequestCountKey(env, network, window string) table.Key {
	return table.NewKey("B#"+env+"#"+network, window)
}

// IdempotencyKey is the record of one Idempotency-Key; the digest is over environment, caller, route and the client's
// key.
func IdempotencyKey(digest string) table.Key { return table.NewKey("I#"+digest, loginSK) }

// PasswordLinkKey is the account's link to set a password. It stands outside the account's own partition: without the
// account it opens nothing, and need not be deleted with it.
func PasswordLinkKey(account string) table.Key { return table.NewKey("K#"+account, passwordLinkSK) }

// PasswordLinkDecoyKey is what is written instead for an unknown identifier, another one each time, in both tables.
func PasswordLinkDecoyKey(env, id string) table.Key {
	return table.NewKey("X#"+env, passwordLinkSK+"#"+id)
}

// ResetRequestsKey counts the password links requested from one network address in one hour.
func ResetRequestsKey(env, address, hour string) table.Key {
	return table.NewKey("F#"+env+"#"+address, hour)
}

// PasswordHistoryKey holds the hashes of the passwords that an account had.
func PasswordHistoryKey(account string) table.Key {
	return table.NewKey(AccountPK(account), PasswordHistorySK)
}

// KeyExpiryPK holds the environment's API keys in the order in which they expire.
func KeyExpiryPK(env string) string { return "N#" + env }

// KeyExpiryKey is such a key, at the instant at which it expires.
func KeyExpiryKey(env, stamp, account, id string) table.Key {
	return table.NewKey(KeyExpiryPK(env), stamp+"#"+account+"#"+id)
}

// QueuedMailPK holds the mails that are to be sent, in the order of their ids. It is in the outbox, like MailLogPK.
func QueuedMailPK(env string) string { return "W#" + env }

// QueuedMailKey is a mail that is to be sent.
func QueuedMailKey(env, id string) table.Key { return table.NewKey(QueuedMailPK(env), id) }

// ParseQueuedMail returns which mail a key is of; false for the key of something else.
func ParseQueuedMail(pk, sk string) (env, id string, ok bool) {
	env, ok = strings.CutPrefix(pk, QueuedMailPK(""))
	if !ok || sk == "" {
		return "", "", false
	}
	return env, sk, true
}

// MailLogPK holds the log of the mails that were sent or given up.
func MailLogPK(env string) string { return "M#" + env }

// MailLogKey is a mail that was sent or given up.
func MailLogKey(env, id string) table.Key { return table.NewKey(MailLogPK(env), id) }

// Decoys is over how many items the attempts of unknown users are spread.
const Decoys = 16

// Package passkey is the WebAuthn relying party: it asks browsers for passkeys and verifies their answers. Its id is
// the host of the product's one public address, and never taken from a request.
package passkey

import (
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"useraccounts/internal/fault"
	"useraccounts/internal/mfa"
)

// RelyingParty implements mfa.PasskeyRegistrar and mfa.PasskeyVerifier.
type RelyingParty struct {
	// webAuthn is nil where the public address has no host name that a passkey could be bound to.
	webAuthn *webauthn.WebAuthn
}

var (
	_ mfa.PasskeyRegistrar = (*RelyingParty)(nil)
	_ mfa.PasskeyVerifier  = (*RelyingParty)(nil)
)

// New returns the relying party of the product at publicURL, which authenticators show by name. An IP address has no
// passkeys: WebAuthn binds them to host names.
func New(publicURL, name string) *RelyingParty {
	u, err := url.Parse(publicURL)
	if err != nil || u.Hostname() == "" {
		return &RelyingParty{}
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil {
		return &RelyingParty{}
	}
	party, err := webauthn.New(&webauthn.Config{
		RPID: strings.ToLower(u.Hostname()), RPDisplayName: name, RPOrigins: []string{u.Scheme + "://" + u.Host},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			// Every passkey can sign its person in without a username.
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(),
			UserVerification: protocol.VerificationPreferred,
		},
	})
	if err != nil {
		return &RelyingParty{}
	}
	return &RelyingParty{party}
}

// unavailable is the answer where there is no host name that a passkey could be bound to.
func (c *RelyingParty) unavailable() error {
	if c.webAuthn != nil {
		return nil
	}
	return fault.New(fault.Conflict, "passkeysUnavailable",
		"Passkeys need a host name, but the public address is an IP address. Ask the operator of this service.")
}

// user implements the library's user.
type user struct {
	mfa.PasskeyUser
	keys []mfa.Passkey
}

func (p user) WebAuthnID() []byte          { return mfa.UserHandle(p.AccountID) }
func (p user) WebAuthnName() string        { return p.Username }
func (p user) WebAuthnDisplayName() string { return p.Name }

func (p user) WebAuthnCredentials() []webauthn.Credential {
	out := make([]webauthn.Credential, len(p.keys))
	for i, k := range p.keys {
		out[i] = webauthn.Credential{
			ID: k.Credential, PublicKey: k.PublicKey, Flags: webauthn.CredentialFlags{BackupEligible: k.Synced},
			Authenticator: webauthn.Authenticator{SignCount: uint32(k.Counter)}, //nolint:gosec // it was one
		}
		for _, t := range k.Transports {
			out[i].Transport = append(out[i].Transport, protocol.AuthenticatorTransport(t))
		}
	}
	return out
}

func (p user) descriptors() []protocol.CredentialDescriptor {
	return webauthn.Credentials(p.WebAuthnCredentials()).CredentialDescriptors()
}

// CreationOptions implements mfa.PasskeyRegistrar.
func (c *RelyingParty) CreationOptions(challenge []byte, who mfa.PasskeyUser, have []mfa.Passkey) ([]byte, error) {
	if err := c.unavailable(); err != nil {
		return nil, err
	}
	p := user{who, have}
	made, _, err := c.webAuthn.BeginRegistration(p, webauthn.WithExclusions(p.descriptors()), withChallenge(challenge))
	if err != nil {
		return nil, err
	}
	return json.Marshal(made.Response)
}

func withChallenge(challenge []byte) webauthn.RegistrationOption {
	return func(o *protocol.PublicKeyCredentialCreationOptions) error {
		o.Challenge = challenge
		return nil
	}
}

// invalidCredential is the answer to a credential that cannot be parsed, or is for another relying party.
func invalidCredential() error {
	return fault.InvalidFields([]fault.Field{{
		Field: "credential", Code: "wrong",
		Message: "The passkey's answer does not match the request. Start again.",
	}})
}

// VerifyAttestation implements mfa.PasskeyRegistrar.
func (c *RelyingParty) VerifyAttestation(challenge []byte, who mfa.PasskeyUser, credential []byte) (mfa.Passkey,
	error,
) {
	if err := c.unavailable(); err != nil {
		return mfa.Passkey{}, err
	}
	if len(credential) > mfa.MaxCredential {
		return mfa.Passkey{}, invalidCredential()
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(credential)
	if err != nil {
		return mfa.Passkey{}, invalidCredential()
	}
	p := user{PasskeyUser: who}
	made, err := c.webAuthn.CreateCredential(p, webauthn.SessionData{
		Challenge: encode(challenge), UserID: p.WebAuthnID(), RelyingPartyID: c.webAuthn.Config.RPID,
		UserVerification: protocol.VerificationPreferred, CredParams: webauthn.CredentialParametersDefault(),
	}, parsed)
	if err != nil {
		return mfa.Passkey{}, invalidCredential()
	}
	out := mfa.Passkey{
		Credential: made.ID, PublicKey: made.PublicKey, Counter: int64(made.Authenticator.SignCount),
		Synced: made.Flags.BackupEligible,
	}
	for _, t := range []protocol.AuthenticatorTransport{
		protocol.USB, protocol.NFC, protocol.BLE, protocol.SmartCard,
		protocol.Hybrid, protocol.Internal,
	} {
		if slices.Contains(made.Transport, t) {
			out.Transports = append(out.Transports, string(t))
		}
	}
	return out, nil
}

// AttestationChallenge implements mfa.PasskeyRegistrar.
func (c *RelyingParty) AttestationChallenge(credential []byte) ([]byte, error) {
	if err := c.unavailable(); err != nil {
		return nil, err
	}
	if len(credential) > mfa.MaxCredential {
		return nil, invalidCredential()
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(credential)
	if err != nil {
		return nil, invalidCredential()
	}
	challenge, err := base64.RawURLEncoding.DecodeString(parsed.Response.CollectedClientData.Challenge)
	if err != nil {
		return nil, invalidCredential()
	}
	return challenge, nil
}

// RequestOptions implements mfa.PasskeyVerifier.
func (c *RelyingParty) RequestOptions(challenge []byte, from []mfa.Passkey) ([]byte, error) {
	if err := c.unavailable(); err != nil {
		return nil, err
	}
	options := []webauthn.LoginOption{webauthn.WithChallenge(challenge)}
	if len(from) == 0 {
		options = append(options, webauthn.WithUserVerification(protocol.VerificationRequired))
	} else {
		options = append(options, webauthn.WithUserVerification(protocol.VerificationPreferred),
			webauthn.WithAllowedCredentials(user{keys: from}.descriptors()))
	}
	asked, _, err := c.webAuthn.BeginDiscoverableLogin(options...)
	if err != nil {
		return nil, err
	}
	return json.Marshal(asked.Response)
}

// ParseAssertion implements mfa.PasskeyVerifier.
func (c *RelyingParty) ParseAssertion(credential []byte) (mfa.Assertion, error) {
	if err := c.unavailable(); err != nil {
		return mfa.Assertion{}, err
	}
	if len(credential) > mfa.MaxCredential {
		return mfa.Assertion{}, invalidCredential()
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(credential)
	if err != nil {
		return mfa.Assertion{}, invalidCredential()
	}
	challenge, err := base64.RawURLEncoding.DecodeString(parsed.Response.CollectedClientData.Challenge)
	if err != nil {
		return mfa.Assertion{}, invalidCredential()
	}
	return mfa.Assertion{
		Credential: parsed.RawID, UserHandle: parsed.Response.UserHandle, Challenge: challenge,
		Raw: credential,
	}, nil
}

// VerifyAssertion implements mfa.PasskeyVerifier. For an unknown passkey, which comes without a key, it does the same
// work and is never right.
func (c *RelyingParty) VerifyAssertion(challenge []byte, a mfa.Assertion, accountID string, key mfa.Passkey,
	verified bool,
) (int64, bool) {
	parsed, err := protocol.ParseCredentialRequestResponseBytes(a.Raw)
	if err != nil || c.webAuthn == nil {
		return 0, false
	}
	known := len(key.PublicKey) > 0
	if !known {
		key.Credential, key.PublicKey = a.Credential, dummyKey()
		parsed.Response.UserHandle = nil
	}
	asked := protocol.VerificationPreferred
	if verified {
		asked = protocol.VerificationRequired
	}
	p := user{mfa.PasskeyUser{AccountID: accountID}, []mfa.Passkey{key}}
	_, err = c.webAuthn.ValidateLogin(p, webauthn.SessionData{
		Challenge: encode(challenge), UserID: p.WebAuthnID(), RelyingPartyID: c.webAuthn.Config.RPID, UserVerification: asked,
		AllowedCredentialIDs: [][]byte{key.Credential},
	}, parsed)
	return int64(parsed.Response.AuthenticatorData.Counter), err == nil && known
}

// dummyKey is an ES256 public key in COSE: the curve's base point.
func dummyKey() []byte {
	const size = 32
	curve := elliptic.P256().Params()
	out := []byte{0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, size}
	out = append(out, curve.Gx.FillBytes(make([]byte, size))...)
	out = append(out, 0x22, 0x58, size)
	return append(out, curve.Gy.FillBytes(make([]byte, size))...)
}

func encode(challenge []byte) string { return base64.RawURLEncoding.EncodeToString(challenge) }

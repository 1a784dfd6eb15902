// Package sso is single sign-on: the OpenID providers of an environment, the authorization code flow, and the links
// between accounts and identities at providers. Flow runs the flow, Providers and Identities administer, SelfService is
// for people's own accounts, Wizard and LinkFiles link many accounts at once.
package sso

import "useraccounts/internal/account"

// MaxEmail is the maximum length of an email in characters.
const MaxEmail = account.MaxEmail

// MaxObjectID is the maximum length of a person's id at a provider in bytes (OpenID Connect Core 1.0, section 2: sub
// has at most 255 ASCII characters).
const MaxObjectID = 255

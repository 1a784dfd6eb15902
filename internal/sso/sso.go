// Package sso is single sign-on: the providers that an environment lets people in by, and the links that say whose
// identity at a provider is whose account.
package sso

import "useraccounts/internal/account"

// MaxEmail is the longest email, in characters.
const MaxEmail = account.MaxEmail

// MaxObjectID is the longest id of a person at a provider, in bytes (OpenID Connect Core 1.0, section 2: sub has at
// most 255 ASCII characters).
const MaxObjectID = 255

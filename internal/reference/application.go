package reference

import (
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"useraccounts/internal/access"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/field"
)

const sectionAddresses = "addresses"

// maxAddresses is the most entries of a list of addresses, maxPermissions the most permissions of an application.
const (
	maxAddresses   = 20
	maxPermissions = 200
)

// ApplicationKinds is the applications alone, which have permissions of their own.
func ApplicationKinds() KindSet { return newKindSet(kindSlug{"applications", catalogue.Application}) }

func applicationFields() field.Table[Entry] {
	addresses := func(name, label, help string, at func(*Entry) any) field.Def[Entry] {
		return field.Def[Entry]{Name: name, Label: label, Section: sectionAddresses, Kind: field.Texts, Max: maxAddresses,
			Help: help, At: at}
	}
	return field.Table[Entry]{
		{Name: "type", Label: "Type", Section: sectionEntry, Kind: field.Choice, Choices: applicationTypes(),
			Help: "What decides how the application proves who it is; a native one can keep no secret.",
			At:   func(e *Entry) any { return &e.Application.Type }},
		{Name: "audience", Label: "Audience", Section: sectionEntry, Kind: field.Text, Max: maxDescription,
			Help: "What tokens for the application name in aud; blank for its code.",
			At:   func(e *Entry) any { return &e.Application.Audience }},
		{Name: "thirdParty", Label: "Third party", Section: sectionEntry, Kind: field.Bool,
			Help: "Not one of the organisation's own. People cannot sign in to it yet.",
			At:   func(e *Entry) any { return &e.Application.ThirdParty }},
		{Name: "permissions", Label: "Permissions", Section: sectionAccess, Kind: field.Named, Max: maxPermissions,
			Help: "What people can do in the application. Roles hold them after its code, such as erp:invoice.approve.",
			At:   func(e *Entry) any { return &e.Application.Permissions }},
		{Name: "guarded", Label: "Guarded", Section: sectionAccess, Kind: field.Bool,
			Help: "Ticked, its permissions are given only by those who hold them and by administrators; otherwise by " +
				"everybody who may give roles.",
			At: func(e *Entry) any { return &e.Application.Guarded }},
		addresses("redirectUris", "Redirect addresses",
			"Where sign-ins lead back to: https, or the device itself. Compared exactly.",
			func(e *Entry) any { return &e.Application.RedirectURIs }),
		addresses("logoutUris", "Sign-out addresses", "Where people may go after they signed out here.",
			func(e *Entry) any { return &e.Application.LogoutURIs }),
		addresses("origins", "Origins", "The origins of pages that call the API, such as https://erp.example.com.",
			func(e *Entry) any { return &e.Application.Origins }),
		addresses("apis", "APIs", "The ids of the HTTP APIs whose authorizer asks for this application.",
			func(e *Entry) any { return &e.Application.APIs }),
	}
}

func applicationTypes() []field.Option {
	return []field.Option{
		{Value: catalogue.ServiceApplication, Label: "Service without users of its own"},
		{Value: catalogue.WebApplication, Label: "Web pages from a server"},
		{Value: catalogue.NativeApplication, Label: "Native, on its users' devices"},
	}
}

var (
	applicationCode = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
	permissionName  = regexp.MustCompile(`^[a-z0-9]+([._-][a-z0-9]+)*$`)
	apiID           = regexp.MustCompile(`^[a-z0-9]{1,32}$`)
	// nativeScheme is a scheme of a native application's own: its domain, reversed (RFC 8252, 7.1).
	nativeScheme = regexp.MustCompile(`^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+$`)
)

// checkApplication checks what only applications have.
func (v *validation) checkApplication(sc access.Scope) {
	a := &v.after.Application
	if v.before == nil {
		if !applicationCode.MatchString(v.after.Code) || v.after.Code == "fields" {
			v.addFault("code", "code",
				"The code of an application has letters, digits, dots, underscores and hyphens, and is not “fields”.")
		}
		if a.Type == "" {
			a.Type = catalogue.ServiceApplication
		}
	}
	if !slices.ContainsFunc(applicationTypes(), func(o field.Option) bool { return o.Value == a.Type }) {
		v.addFault("type", "choice", "Type must be service, web or native.")
	}
	if a.Audience == "" {
		a.Audience = v.after.Code
	}
	v.checkAudience()
	for _, name := range slices.Sorted(maps.Keys(a.Permissions)) {
		if !permissionName.MatchString(name) || len(v.after.PermissionName(name)) > catalogue.MaxCode {
			v.addFault("permissions", "permissionName", "The name "+catalogue.QuoteCode(name)+" must have small letters and "+
				"digits, with dots, hyphens or underscores between them, and at most 50 characters together with the code.")
		}
	}
	v.checkAddresses("redirectUris", a.RedirectURIs, v.isRedirect)
	v.checkAddresses("logoutUris", a.LogoutURIs, v.isRedirect)
	v.checkAddresses("origins", a.Origins, isOrigin)
	v.checkAddresses("apis", a.APIs, apiID.MatchString)
	if v.before != nil && v.before.Application.Guarded && !a.Guarded && !sc.Caller.May(access.AccountAdmin) {
		v.addFault("guarded", "administrator", "Only an administrator can end the guard on an application's permissions.")
	}
}

// checkAudience lets no two applications have one audience: a token for one would be one for the other.
func (v *validation) checkAudience() {
	a := v.after.Application
	for _, other := range v.catalogue.All(catalogue.Application) {
		if catalogue.Fold(other.Code) != catalogue.Fold(v.after.Code) && other.Application.Audience == a.Audience {
			v.addFault("audience", "taken", "The application "+other.Code+" has this audience; choose another.")
		}
	}
}

func (v *validation) checkAddresses(name string, entries []string, valid func(string) bool) {
	if !v.given(name) && !v.given("type") {
		return
	}
	for _, entry := range entries {
		if valid(entry) {
			continue
		}
		rule := "must be https, without a fragment or a user; http is for the device itself: http://127.0.0.1/…"
		switch name {
		case "origins":
			rule = "must be scheme, host and port alone, such as https://erp.example.com"
		case "apis":
			rule = "is no id of an HTTP API, such as a1b2c3d4e5"
		}
		v.addFault(name, "address", catalogue.QuoteCode(entry)+" "+rule+".")
	}
}

// isRedirect reports whether people may be sent to an address: https, the device itself, or a native application's own
// scheme. It is compared exactly with what is asked for (RFC 9700, 4.1).
func (v *validation) isRedirect(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.User != nil || strings.ContainsAny(address, "#*\\ ") {
		return false
	}
	native := v.after.Application.Type == catalogue.NativeApplication
	switch u.Scheme {
	case "https":
		return u.Host != ""
	case "http":
		return isLoopback(u)
	}
	return native && u.Opaque == "" && nativeScheme.MatchString(u.Scheme)
}

// isLoopback reports whether an address is on the device itself.
func isLoopback(u *url.URL) bool {
	host := u.Hostname()
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// isOrigin reports whether a text is the origin of pages as browsers write it.
func isOrigin(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && (u.Scheme == "https" || (u.Scheme == "http" && isLoopback(u))) &&
		text == strings.ToLower(u.Scheme+"://"+u.Host)
}

// heldPermissions returns the roles that hold permissions which an application would no longer have.
func heldPermissions(c *catalogue.Catalogue, before Entry, after *Entry) nameList {
	var holders nameList
	for _, role := range c.All(catalogue.Role) {
		for _, held := range role.Permissions {
			name, had := before.HeldPermission(held)
			if !had {
				continue
			}
			if after != nil {
				if _, has := after.Application.Permissions[name]; has {
					continue
				}
			}
			holders.add("role " + role.Code + " (" + held + ")")
		}
	}
	return holders
}

// permissionsInUse refuses a change of an application that takes permissions from roles.
func permissionsInUse(c *catalogue.Catalogue, change Change) error {
	if change.Before.Kind != catalogue.Application {
		return nil
	}
	holders := heldPermissions(c, *change.Before, change.After)
	if holders.count == 0 {
		return nil
	}
	return holders.fault("inUse", "permissions", "Roles hold permissions of the application "+change.Before.Code+": ",
		". Remove them from the roles first.")
}

package reference_test

import (
	"testing"

	"useraccounts/internal/auditlog"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

// withApplications returns a fixture with the applications erp, and vault, which is guarded; PAYER holds a permission
// of each.
func withApplications() *fixture {
	f := newFixture()
	all := append(testEntries(),
		entry(catalogue.Application, "erp", func(e *catalogue.Entry) {
			e.Application = catalogue.ApplicationData{Type: "web", Audience: "erp",
				Permissions: map[string]string{"invoice.approve": "Approve invoices", "invoice.read": "Read invoices"}}
		}),
		entry(catalogue.Application, "vault", func(e *catalogue.Entry) {
			e.Application = catalogue.ApplicationData{Type: "web", Audience: "vault", Guarded: true,
				Permissions: map[string]string{"open": "Open it"}}
		}),
		entry(catalogue.Role, "PAYER", func(e *catalogue.Entry) {
			e.Permissions = []string{"erp:invoice.approve"}
		}))
	f.store.current.Catalogue = catalogue.New(all)
	f.scope = f.as("boss", "account.admin", "access.write", "application.write")
	return f
}

func TestAnApplicationIsHeldToItsRules(t *testing.T) {
	for name, c := range map[string]struct {
		patch field.Patch
		names string
	}{
		"code":            {field.Patch{"code": "the erp"}, "code"},
		"reserved code":   {field.Patch{"code": "fields"}, "code"},
		"type":            {field.Patch{"type": "toaster"}, "type"},
		"audience taken":  {field.Patch{"audience": "erp"}, "audience taken"},
		"permission name": {field.Patch{"permissions": map[string]string{"Approve it": ""}}, "permissions permissionName"},
		"permission long": {field.Patch{"permissions": map[string]string{
			"a.very.long.name.of.what.can.be.done.in.it.by.some": ""}}, "permissions permissionName"},
		"http":            {field.Patch{"redirectUris": []string{"http://erp.example.com/cb"}}, "redirectUris address"},
		"script":          {field.Patch{"redirectUris": []string{"javascript:alert(1)"}}, "redirectUris address"},
		"fragment":        {field.Patch{"redirectUris": []string{"https://erp.example.com/#a"}}, "redirectUris address"},
		"wildcard":        {field.Patch{"redirectUris": []string{"https://*.example.com/"}}, "redirectUris address"},
		"user":            {field.Patch{"redirectUris": []string{"https://a@erp.example.com/"}}, "redirectUris address"},
		"scheme of a web": {field.Patch{"redirectUris": []string{"com.example.erp:/cb"}}, "redirectUris address"},
		"origin":          {field.Patch{"origins": []string{"https://erp.example.com/"}}, "origins address"},
		"API":             {field.Patch{"apis": []string{"arn:aws:x"}}, "apis address"},
	} {
		f := withApplications()
		patch := field.Patch{"code": "crm", "type": "web"}
		for k, v := range c.patch {
			patch[k] = v
		}
		_, err := f.Create(t.Context(), f.scope, catalogue.Application, patch)
		t.Run(name, func(t *testing.T) { f.wantFault(t, err, fault.Invalid, "invalid", c.names) })
	}
	f := withApplications()
	e, err := f.Create(t.Context(), f.scope, catalogue.Application, field.Patch{"code": "crm", "type": "native",
		"redirectUris": []string{"com.example.crm:/cb", "http://127.0.0.1:8000/cb"},
		"origins":      []string{"https://a.example"}})
	if err != nil || e.Application.Audience != "crm" || len(e.Application.RedirectURIs) != 2 {
		t.Errorf("%+v, %v", e, err)
	}
}

// What roles hold of an application stays there: neither the permission nor the application goes.
func TestPermissionsThatRolesHoldStay(t *testing.T) {
	f := withApplications()
	f.wantFault(t, f.patch(catalogue.Application, "erp",
		field.Patch{"permissions": map[string]string{"invoice.read": "Read"}}),
		fault.Conflict, "inUse", "PAYER", "erp:invoice.approve")
	f.wantFault(t, f.remove(catalogue.Application, "erp"), fault.Conflict, "inUse", "PAYER")
	if err := f.patch(catalogue.Application, "erp",
		field.Patch{"permissions": map[string]string{"invoice.approve": "Approve"}}); err != nil {
		t.Errorf("one that no role holds: %v", err)
	}
	if err := f.remove(catalogue.Application, "vault"); err != nil {
		t.Errorf("one whose permissions no role holds: %v", err)
	}
}

// V61: permissions of applications are given by whoever may give roles, those of a guarded one by who holds them and by
// administrators.
func TestPermissionsOfGuardedApplications(t *testing.T) {
	give := func(f *fixture, p string) error {
		return f.patch(catalogue.Role, "SELF", field.Patch{"permissions": []string{p}})
	}
	f := withApplications()
	f.scope = f.as("clerk", "access.write")
	if err := give(f, "ERP:invoice.approve"); err != nil {
		t.Fatal(err)
	}
	if e, _ := f.store.current.Catalogue.Find(catalogue.Role, "SELF"); e.Permissions[0] != "erp:invoice.approve" {
		t.Errorf("held as %v", e.Permissions)
	}
	f = withApplications()
	f.scope = f.as("clerk", "access.write", "application.write")
	f.wantFault(t, give(f, "vault:open"), fault.Invalid, "invalid", "aboveOwnRights", "vault:open")
	f.wantFault(t, give(f, "vault:shut"), fault.Invalid, "invalid", "unknownPermission")
	f.wantFault(t, give(f, "nothing:open"), fault.Invalid, "invalid", "unknownPermission")
	f.wantFault(t, f.patch(catalogue.Application, "vault", field.Patch{"guarded": false}), fault.Invalid, "invalid",
		"guarded administrator")
	f.scope = f.as("holder", "access.write", "vault:open")
	if err := give(f, "vault:open"); err != nil {
		t.Errorf("who holds it: %v", err)
	}
	f = withApplications()
	if err := give(f, "vault:open"); err != nil {
		t.Errorf("an administrator: %v", err)
	}
}

func TestAmendWritesAnEventAndKeepsTheFields(t *testing.T) {
	f := withApplications()
	_, err := f.Amend(t.Context(), f.scope, catalogue.Application, "ERP", auditlog.CredentialCreated,
		func(e catalogue.Entry) (catalogue.Entry, string, error) {
			e.Application.Credentials = []catalogue.Credential{{ID: "c"}}
			return e, "c", nil
		})
	if err != nil || len(f.store.written) != 1 {
		t.Fatalf("%v %+v", err, f.store.written)
	}
	got := f.store.written[0]
	if got.Event.Kind != auditlog.CredentialCreated || got.Event.Note != "c" || got.Event.Subject != "application/erp" ||
		got.After.Application.Audience != "erp" || got.After.Version != got.BaseVersion+1 {
		t.Errorf("%+v", got)
	}
}

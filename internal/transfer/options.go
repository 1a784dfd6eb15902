package transfer

import (
	"context"

	"useraccounts/internal/access"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
)

// checkOptions refuses options that name what is not there; when the import runs they are looked at again. It gives the
// resource group the catalogue's spelling.
func (s *Service) checkOptions(ctx context.Context, sc access.Scope, o *Options) error {
	var bad []fault.Field
	if o.ResourceGroup != "" {
		group, ok := sc.Catalogue.Find(catalogue.ResourceGroup, o.ResourceGroup)
		if !ok || !group.Active {
			bad = append(bad,
				fault.Field{Field: "resourceGroup", Code: "unknownCode",
					Message: "There is no active resource group of this code; choose another or leave it out."})
		}
		o.ResourceGroup = group.Code
	}
	if o.CopyRolesFrom != "" {
		_, err := RolesOf(ctx, s.Accounts, sc.Env, o.CopyRolesFrom)
		f := fault.As(err)
		if f == nil && err != nil || f != nil && f.Kind != fault.Invalid {
			return err
		}
		if f != nil {
			bad = append(bad, f.Fields...)
		}
	}
	return fault.InvalidFields(bad)
}

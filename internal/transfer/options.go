package transfer

import (
	"context"

	"useraccounts/internal/access"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
)

// checkOptions refuses options that name something that does not exist; the import checks them again when it runs. It
// sets the resource group to the catalogue's spelling.
func (s *Service) checkOptions(ctx context.Context, sc access.Scope, o *Options) error {
	var invalid []fault.Field
	if o.ResourceGroup != "" {
		group, ok := sc.Catalogue.Find(catalogue.ResourceGroup, o.ResourceGroup)
		if !ok || !group.Active {
			invalid = append(invalid, fault.Field{Field: "resourceGroup", Code: "unknownCode",
				Message: "There is no active resource group with this code. Choose another, or leave this empty."})
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
			invalid = append(invalid, f.Fields...)
		}
	}
	return fault.InvalidFields(invalid)
}

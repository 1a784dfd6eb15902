package dynamo

import (
	"context"
	"slices"

	"useraccounts/internal/auditlog"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/reference"
	"useraccounts/internal/resource"
	"useraccounts/internal/staffing"
)

// Resources keeps resources. An item is the claim on its code and holds the resource as an account's row holds the
// account: an image and, if an import wrote it, the import's number and the previous image.
type Resources struct {
	*table.Table
}

var (
	_ resource.Store         = Resources{}
	_ staffing.Store         = Resources{}
	_ reference.HolderSource = Resources{}
)

// attrReferences counts how often other items named a resource. It only rises. A resource that was never named can be
// deleted at once; one that is named while somebody looks for its uses cannot.
const attrReferences = "named"

func resourceImage(r resource.Resource) table.Item {
	image := table.FromPlain(resource.Fields().Image(&r))
	image["version"] = table.N(r.Version)
	return image
}

// resourceOf reads a resource from its item, in one generation of its image; false if the item has none of it.
func resourceOf(it table.Item, is schema.Generation) (resource.Resource, bool) {
	image := schema.ImageOf(it, is)
	if image == nil {
		return resource.Resource{}, false
	}
	r := resource.Resource{Version: table.Int(image, "version")}
	resource.Fields().SetImage(&r, table.ToPlain(image))
	r.Stored = resource.Revision{
		Version: table.Int(table.Map(it, schema.AttrImage), "version"), Import: table.Int(it, schema.AttrImportID),
		ReferenceCount: table.Int(it, attrReferences),
		HasPrevious:    table.Map(it, schema.AttrPrevious) != nil,
	}
	return r, true
}

func resourceNotFound() error {
	return fault.New(fault.NotFound, "notFound", "There is no such resource.")
}

// Resource implements resource.Store.
func (s Resources) Resource(ctx context.Context, env environment.Environment, code string) (resource.Resource, error) {
	it, err := s.Get(ctx, schema.ResourceKey(env.ID, catalogue.Fold(code)))
	if err != nil {
		return resource.Resource{}, err
	}
	is, err := visibleNow(ctx, s.Table, env, it)
	if err != nil {
		return resource.Resource{}, err
	}
	r, ok := resourceOf(it, is)
	if !ok {
		return resource.Resource{}, resourceNotFound()
	}
	r.Stored.Pending = is != schema.Newest
	return r, nil
}

// Page implements resource.Store. The snapshot in env must have been taken before.
func (s Resources) Page(
	ctx context.Context, env environment.Environment, after string, limit int,
) ([]resource.Resource, string, error) {
	out := make([]resource.Resource, 0, limit)
	for {
		items, more, err := s.Query(ctx, table.Query{PK: schema.ResourcePK(env.ID), After: after, Limit: limit - len(out)})
		if err != nil {
			return nil, "", err
		}
		for _, it := range items {
			if r, ok := resourceOf(it, schema.VisibleAt(env.Imports, it)); ok {
				out = append(out, r)
			}
			after = table.String(it, "SK")
		}
		if !more {
			return out, "", nil
		}
		if len(out) >= limit {
			return out, after, nil
		}
	}
}

// EventsSince implements resource.Store. If the resource has an account, its changes are in that account's log.
func (s Resources) EventsSince(
	ctx context.Context, env environment.Environment, r resource.Resource, version int64,
) ([]auditlog.Event, error) {
	if r.AccountID == "" {
		return EnvironmentLog(s).EventsSince(ctx, env.ID, r.Subject(), version)
	}
	return subjectEventsSince(ctx, s.Table, r.AccountID, r.Subject(), version)
}

// VisitHolders implements reference.HolderSource: the codes that resources hold.
func (s Resources) VisitHolders(
	ctx context.Context, env environment.Environment, kind catalogue.Kind, visit func(reference.Holder),
) error {
	if !slices.Contains([]catalogue.Kind{
		catalogue.ResourceGroup, catalogue.Department, catalogue.CostCentre, catalogue.PaymentMethod, catalogue.PaymentTerms,
	}, kind) {
		return nil
	}
	for after := ""; ; {
		found, next, err := s.Page(ctx, env, after, holdersPageSize)
		if err != nil {
			return err
		}
		for _, r := range found {
			visit(reference.Holder{Type: "resource", ID: r.Code, Name: r.Code, Codes: codesOf(r)})
		}
		if next == "" {
			return nil
		}
		after = next
	}
}

func codesOf(r resource.Resource) map[catalogue.Kind][]string {
	return map[catalogue.Kind][]string{
		catalogue.ResourceGroup: {r.ResourceGroup}, catalogue.Department: {r.Department},
		catalogue.CostCentre:    {r.CostCentre},
		catalogue.PaymentMethod: {r.PaymentMethod}, catalogue.PaymentTerms: {r.PaymentTerms},
	}
}

package dynamo

import (
	"context"
	"slices"

	"useraccounts/internal/auditlog"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/reference"
	"useraccounts/internal/resource"
	"useraccounts/internal/staffing"
)

// Resources keeps resources. An item is the claim on its code and holds the resource as an account's row holds the
// account: an image, and beside one that an import wrote the import's number and the image before it.
type Resources struct {
	*Table
}

var (
	_ resource.Store         = Resources{}
	_ staffing.Store         = Resources{}
	_ reference.HolderSource = Resources{}
)

// attrReferences counts how often a resource was named by others. It only rises: a resource that was never named can go
// at once, and one that is named while somebody looks for its uses cannot.
const attrReferences = "named"

func resourceImage(r resource.Resource) item {
	image := fromPlain(resource.Fields().Image(&r))
	image["version"] = num(r.Version)
	return image
}

// resourceOf reads a resource from its item, in the image of that age. There is no resource if that one is missing.
func resourceOf(it item, is generation) (resource.Resource, bool) {
	image := imageIn(it, is)
	if image == nil {
		return resource.Resource{}, false
	}
	r := resource.Resource{Version: number(image, "version")}
	resource.Fields().SetImage(&r, toPlain(image))
	r.Stored = resource.Revision{
		Version: number(nestedMap(it, attrImage), "version"), Import: number(it, attrImportID),
		ReferenceCount: number(it, attrReferences),
		HasPrevious:    nestedMap(it, attrPrevious) != nil,
	}
	return r, true
}

func resourceNotFound() error {
	return fault.New(fault.NotFound, "notFound", "There is no such resource.")
}

// Resource implements resource.Store.
func (s Resources) Resource(ctx context.Context, env environment.Environment, code string) (resource.Resource, error) {
	it, err := s.get(ctx, resourceKey(env.ID, catalogue.Fold(code)))
	if err != nil {
		return resource.Resource{}, err
	}
	is, err := s.visibleNow(ctx, env, it)
	if err != nil {
		return resource.Resource{}, err
	}
	r, ok := resourceOf(it, is)
	if !ok {
		return resource.Resource{}, resourceNotFound()
	}
	r.Stored.Pending = is != newest
	return r, nil
}

// Page implements resource.Store. The snapshot in env must have been taken before.
func (s Resources) Page(ctx context.Context, env environment.Environment, after string,
	limit int) ([]resource.Resource, string, error) {
	out := make([]resource.Resource, 0, limit)
	for {
		items, more,
			err := s.query(ctx,
			pageQuery{pk: resourcePK(env.ID), after: after, limit: int32(limit - len(out))}) //nolint:gosec // limits are small
		if err != nil {
			return nil, "", err
		}
		for _, it := range items {
			if r, ok := resourceOf(it, visibleAt(env.Imports, it)); ok {
				out = append(out, r)
			}
			after = text(it, "SK")
		}
		if !more {
			return out, "", nil
		}
		if len(out) >= limit {
			return out, after, nil
		}
	}
}

// EventsSince implements resource.Store. Changes are in the account's log from when the resource has one.
func (s Resources) EventsSince(ctx context.Context, env environment.Environment, r resource.Resource,
	version int64) ([]auditlog.Event, error) {
	if r.AccountID == "" {
		return EnvironmentLog(s).EventsSince(ctx, env.ID, r.Subject(), version)
	}
	return s.subjectEventsSince(ctx, r.AccountID, r.Subject(), version)
}

// VisitHolders implements reference.HolderSource: which codes resources hold.
func (s Resources) VisitHolders(ctx context.Context, env environment.Environment, kind catalogue.Kind,
	visit func(reference.Holder)) error {
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

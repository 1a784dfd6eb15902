package resource

import (
	"context"
	"slices"
	"strings"

	"useraccounts/internal/access"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/environment"
)

// Filter says which resources a list shows; the zero value shows all.
type Filter struct {
	// Find is a text that the code, the description, a name or the legacy reference contains, without regard to case.
	Find string
	// Active, if not nil, shows only active resources, or only locked ones.
	Active *bool
	// Group is the code of a resource group.
	Group string
}

func (f Filter) matches(r Resource) bool {
	if f.Active != nil && *f.Active != r.Active {
		return false
	}
	if f.Group != "" && catalogue.Fold(f.Group) != catalogue.Fold(r.ResourceGroup) {
		return false
	}
	text := catalogue.Fold(strings.TrimSpace(f.Find))
	return text == "" ||
		slices.ContainsFunc([]string{r.Code, r.Description, r.FirstName, r.LastName, r.LegacyRef}, func(value string) bool {
			return strings.Contains(catalogue.Fold(value), text)
		})
}

// readBatch is how many resources are read at a time by a search: about what one call can return.
const readBatch = 1000

// List returns up to limit resources that match the filter, in the order of their codes, after a key, and the key to go
// on from, empty at the end.
func (s *Service) List(ctx context.Context, sc access.Scope, f Filter, after string, limit int) ([]Resource, string,
	error) {
	var out []Resource
	batch := limit + 1 // one more, to see whether there are more
	for {
		found, next, err := s.Store.Page(ctx, sc.Env, after, batch)
		if err != nil {
			return nil, "", err
		}
		for _, r := range found {
			if !f.matches(r) {
				continue
			}
			if len(out) == limit {
				return out, out[limit-1].Key(), nil
			}
			out = append(out, r)
		}
		if next == "" {
			return out, "", nil
		}
		after, batch = next, readBatch // too few matched, so the next read is a large one
	}
}

// forEach visits every resource of the environment.
func (s *Service) forEach(ctx context.Context, env environment.Environment, visit func(Resource)) error {
	after := ""
	for {
		found, next, err := s.Store.Page(ctx, env, after, readBatch)
		if err != nil {
			return err
		}
		for _, r := range found {
			visit(r)
		}
		if next == "" {
			return nil
		}
		after = next
	}
}

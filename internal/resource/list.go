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
	// Find is a text that the code, the description, a name or the legacy reference has in it, without regard to case.
	Find string
	// Active, where it is not nil, shows only those that are active, or only the locked ones.
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
	wanted := catalogue.Fold(strings.TrimSpace(f.Find))
	return wanted == "" ||
		slices.ContainsFunc([]string{r.Code, r.Description, r.FirstName, r.LastName, r.LegacyRef}, func(text string) bool {
			return strings.Contains(catalogue.Fold(text), wanted)
		})
}

// readBatch is how many resources are read at a time where many are looked through: about what one call can bring.
const readBatch = 1000

// List returns up to limit resources that the filter takes, in the order of their codes, after a key, and the key to go
// on from, empty where no more follow.
func (s *Service) List(ctx context.Context, sc access.Scope, f Filter, after string, limit int) ([]Resource, string,
	error) {
	var out []Resource
	batch := limit + 1 // one more tells whether any follow
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
		after, batch = next, readBatch // the filter took too few: the next read brings as much as one can
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

package dynamo_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/local/localtest"
)

// clientBeforeTransaction is a client that does something just before its first transaction.
func clientBeforeTransaction(t *testing.T, do func()) *dynamodb.Client {
	t.Helper()
	var once sync.Once
	o := localtest.Services(t).DynamoDBClient().Options()
	o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
		return s.Initialize.Add(
			middleware.InitializeMiddlewareFunc("beforeTransaction",
				func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
					middleware.InitializeOutput, middleware.Metadata, error,
				) {
					if _, writes := in.Parameters.(*dynamodb.TransactWriteItemsInput); writes {
						once.Do(do)
					}
					return next.HandleInitialize(ctx, in)
				}), middleware.Before)
	})
	return dynamodb.New(o)
}

// secondAdministrator makes another administrator, who has the right by a role of their own or by a group that gives
// it.
func (f *fixture) secondAdministrator(t *testing.T, name string, by catalogue.Kind) access.Scope {
	t.Helper()
	sc := f.scopeWithCatalogue(t)
	admin, _ := sc.Catalogue.Find(catalogue.Role, "ADMIN")
	if _, err := f.referenceService().Create(t.Context(), sc, catalogue.Role,
		field.Patch{"code": "CHIEF", "permissions": admin.Permissions}); err != nil && !fault.HasCode(err, "taken") {
		t.Fatal(err)
	}
	patch := field.Patch{"username": name, "name": name, "email": name + "@example.com", "userType": "FULL",
		"roles": []string{"CHIEF"}}
	if by == catalogue.Group {
		for _, g := range []field.Patch{{"code": "INNER", "roles": []string{"CHIEF"}},
			{"code": "OUTER", "groups": []string{"INNER"}}} {
			if _, err := f.referenceService().Create(t.Context(), f.scopeWithCatalogue(t), catalogue.Group, g); err != nil &&
				!fault.HasCode(err, "taken") {
				t.Fatal(err)
			}
		}
		delete(patch, "roles")
		patch["groups"] = []string{"OUTER"}
	}
	a, err := f.accounts.Create(t.Context(), f.scopeWithCatalogue(t), patch)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.accounts.SetPassword(t.Context(), f.scopeWithCatalogue(t), a.ID, 0,
		account.NewPasswordRequest{Password: secret, Unlock: true}); err != nil {
		t.Fatal(err)
	}
	return f.signInAs(t, name, secret)
}

// accessEndingOperations are what ends another administrator's access, through the service.
func accessEndingOperations() map[string]func(context.Context, *account.Service, access.Scope, account.Account) error {
	return map[string]func(context.Context, *account.Service, access.Scope, account.Account) error{
		"block": func(ctx context.Context, s *account.Service, sc access.Scope, a account.Account) error {
			_, err := s.Block(ctx, sc, a.ID, 0, "x")
			return err
		},
		"lock": func(ctx context.Context, s *account.Service, sc access.Scope, a account.Account) error {
			_, err := s.Lock(ctx, sc, a.ID, 0)
			return err
		},
		"password": func(ctx context.Context, s *account.Service, sc access.Scope, a account.Account) error {
			_, err := s.SetPassword(ctx, sc, a.ID, 0, account.NewPasswordRequest{Password: secret + " more"})
			return err
		},
		"role taken": func(ctx context.Context, s *account.Service, sc access.Scope, a account.Account) error {
			_, err := s.Change(ctx, sc, a.ID, a.Version, field.Patch{"roles": []string{}})
			return err
		},
		"end of dates": func(ctx context.Context, s *account.Service, sc access.Scope, a account.Account) error {
			_, err := s.Change(ctx, sc, a.ID, a.Version,
				field.Patch{"dateFrom": field.Date("2020-01-01"), "dateTo": field.Date("2020-01-02")})
			return err
		},
		"API licence": func(ctx context.Context, s *account.Service, sc access.Scope, a account.Account) error {
			_, err := s.Change(ctx, sc, a.ID, a.Version, field.Patch{"userType": "API"})
			return err
		},
	}
}

// An administrator whose right goes by a change of the role or group that gave it cannot end the one who took it,
// though their request was under way: the rule that they were judged by is gone. However it is tried, an administrator
// is left.
func TestRightsThatWentByARoleEndNobody(t *testing.T) {
	for name, op := range accessEndingOperations() {
		for _, by := range []catalogue.Kind{catalogue.Role, catalogue.Group} {
			t.Run(fmt.Sprintf("%s, right by %s", name, by), func(t *testing.T) {
				f := newFixture(t)
				theirs := f.secondAdministrator(t, "second", by)
				mine := f.scopeWithCatalogue(t)
				me, err := f.accounts.Get(t.Context(), mine, mine.Caller.AccountID)
				if err != nil {
					t.Fatal(err)
				}
				late := *f.accounts
				late.Store = dynamo.Accounts{Table: &dynamo.Table{Name: f.table.Name, Client: clientBeforeTransaction(t, func() {
					kind, code, patch := catalogue.Role, "CHIEF", field.Patch{"permissions": []string{"account.read", "account.block"}}
					if by == catalogue.Group {
						kind, code, patch = catalogue.Group, "INNER", field.Patch{"roles": []string{}}
					}
					if _, err := f.referenceService().Change(context.Background(), mine, f.ref(t, kind, code), patch); err != nil {
						t.Errorf("the right was not taken: %v", err)
					}
				})}}
				want := "rulesChanged"
				if name == "API licence" {
					want = "used" // whoever has a right to be ended by is somebody who signs in (V91)
				}
				if err := op(t.Context(), &late, theirs, me); !fault.HasCode(err, want) {
					t.Errorf("done by a right that was gone: %v", err)
				}
				now, err := f.accounts.Get(t.Context(), f.scopeWithCatalogue(t), me.ID)
				if err != nil || now.Version != me.Version || now.Epoch != me.Epoch {
					t.Errorf("the administrator was changed: %+v, %v", now, err)
				}
			})
		}
	}
}

// The other way round: whoever was ended meanwhile takes no right away by a role.
func TestWhoWasEndedChangesNoRole(t *testing.T) {
	f := newFixture(t)
	theirs := f.secondAdministrator(t, "second", catalogue.Role)
	mine := f.scopeWithCatalogue(t)
	entries := f.referenceService()
	store := dynamo.NewReference(&dynamo.Table{Name: f.table.Name, Client: clientBeforeTransaction(t, func() {
		if _, err := f.accounts.Block(context.Background(), theirs, mine.Caller.AccountID, 0, "x"); err != nil {
			t.Errorf("the block failed: %v", err)
		}
	})})
	entries.Store = store
	if _, err := entries.Change(t.Context(), mine, f.ref(t, catalogue.Role, "CHIEF"),
		field.Patch{"permissions": []string{"account.read"}}); !fault.HasCode(err, "session") {
		t.Errorf("%v", err)
	}
	if e, _ := f.scopeWithCatalogue(t).Catalogue.Find(catalogue.Role, "CHIEF"); len(e.Permissions) < 5 {
		t.Errorf("the role was changed: %+v", e)
	}
}

// A deletion ends access as well.
func TestADeletionDependsOnTheRules(t *testing.T) {
	f := newFixture(t)
	someone := f.create(t, "someone", nil)
	old := f.scopeWithCatalogue(t)
	f.createRole(t, "SPARE")
	if _, err := f.referenceService().Change(t.Context(), old, f.ref(t, catalogue.Role, "SPARE"),
		field.Patch{"permissions": []string{}}); err != nil {
		t.Fatal(err)
	}
	if err := f.accounts.Delete(t.Context(), old, someone.ID, 0); !fault.HasCode(err, "rulesChanged") {
		t.Errorf("%v", err)
	}
	if err := f.accounts.Delete(t.Context(), f.scopeWithCatalogue(t), someone.ID, 0); err != nil {
		t.Error(err)
	}
}

package dynamo_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/auditlog"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/environment"
	"useraccounts/internal/field"
	"useraccounts/internal/settings"
	"useraccounts/internal/token"
)

func (f *fixture) settingsService() *settings.Service {
	return &settings.Service{Store: dynamo.NewSettings(f.table), Now: time.Now, NewID: token.NewIDString}
}

// What an environment of an older release did not store reads as its default, and what it did stays.
func TestSettingsThatWereNotStoredReadAsDefaults(t *testing.T) {
	f := newFixture(t)
	client := f.table.Client
	_, err := client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: &f.table.Name, Key: map[string]types.AttributeValue{
			"PK": &types.AttributeValueMemberS{Value: "E#" + env}, "SK": &types.AttributeValueMemberS{Value: "HEAD"},
		},
		UpdateExpression: aws.String("SET settings = :s"),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":s": &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{
				"passwordMinLength": &types.AttributeValueMemberN{Value: "16"},
				"mfaRequired":       &types.AttributeValueMemberBOOL{Value: true},
				"fromTheFuture":     &types.AttributeValueMemberS{Value: "x"},
			}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := environment.Defaults()
	want.PasswordMinLength, want.MFARequired = 16, true
	if got := f.currentScope(t).Env.Settings; got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// Every setting comes back as it was set, off and zero included, with the version after and the event.
func TestSettingsComeBackAsTheyWereSet(t *testing.T) {
	f := newFixture(t)
	scope := f.currentScope(t)
	patch := field.Patch{
		"passwordMinLength": int64(8), "passwordClasses": int64(4), "passwordHistory": int64(24),
		"passwordMaxAgeDays": int64(365), "passwordNIST": false,
		"failedTryLimit": int64(100), "failedTryRelease": false, "sessionIdleMinutes": int64(1),
		"sessionHardMinutes": int64(5), "confirmAgainMinutes": int64(60), "mfaRequired": true,
		"emailCodeAllowed": true, "trustedDeviceDays": int64(0), "setPasswordLinkHours": int64(1),
		"resetPasswordConfirmation": true, "mailSenderName": "Ä",
		"country": "FR", "currency": "EUR", "dacEnabled": false, "logRetentionDays": int64(30), "adminSetsPasswords": false,
	}
	if len(patch) != len(settings.Fields()) {
		t.Fatalf("%d of %d settings are tried", len(patch), len(settings.Fields()))
	}
	got, err := f.settingsService().Change(t.Context(), scope, scope.Env.SettingsVersion, patch)
	if err != nil {
		t.Fatal(err)
	}
	now := f.currentScope(t).Env
	if now.Settings != got.Settings || now.SettingsVersion != scope.Env.SettingsVersion+1 ||
		got.Version != now.SettingsVersion {
		t.Errorf("%+v at %d, set %+v", now.Settings, now.SettingsVersion, got)
	}
	for name, want := range patch {
		if value := settings.Fields().Value(&now.Settings, name); value != want && (value != nil || want != int64(0)) {
			t.Errorf("%s is %v, set to %v", name, value, want)
		}
	}
	if now.CatalogueVersion != scope.Env.CatalogueVersion || string(now.CursorKey) != string(scope.Env.CursorKey) {
		t.Error("something else of the head changed")
	}
	if _, err := f.settingsService().Change(t.Context(), scope, scope.Env.SettingsVersion,
		field.Patch{"country": "GB"}); err == nil {
		t.Error("an old version is overwritten")
	}
}

// The log is whole, each event once, newest first, however it is paged; and one environment's alone (V58).
func TestTheEnvironmentsLogIsPaged(t *testing.T) {
	f := newFixture(t)
	for i := range 7 {
		now := f.currentScope(t)
		if _, err := f.settingsService().Change(t.Context(), now, now.Env.SettingsVersion,
			field.Patch{"failedTryLimit": int64(10 + i)}); err != nil {
			t.Fatal(err)
		}
	}
	log := dynamo.EnvironmentLog{Table: f.table}
	var got []string
	for after := ""; ; {
		events, next, err := log.Events(t.Context(), env, after, 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			got = append(got, fmt.Sprint(e.Version, e.Changes[0].To))
		}
		if next == "" {
			break
		}
		after = next
	}
	if fmt.Sprint(got) != "[8 16 7 15 6 14 5 13 4 12 3 11 2 10]" {
		t.Errorf("%v", got)
	}
	since, err := log.EventsSince(t.Context(), env, settings.Subject, 6)
	if err != nil || len(since) != 2 || since[0].Version != 7 || since[1].Version != 8 ||
		since[0].Kind != auditlog.Changed {
		t.Errorf("%+v, %v", since, err)
	}
	if events, _, err := log.Events(t.Context(), "other", "", 10); err != nil || len(events) != 0 {
		t.Errorf("another environment's: %+v, %v", events, err)
	}
}

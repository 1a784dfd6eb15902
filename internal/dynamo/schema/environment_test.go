package schema

import (
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/environment"
	"useraccounts/internal/settings"
)

// storedSettings is every setting as environments have it in the table. These names and types are stored: a test that
// has to be changed here means that data is lost.
func storedSettings() (environment.Settings, table.Item) {
	number := func(n string) types.AttributeValue { return &types.AttributeValueMemberN{Value: n} }
	yes, no := &types.AttributeValueMemberBOOL{Value: true}, &types.AttributeValueMemberBOOL{Value: false}
	text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	return environment.Settings{
			PasswordMinLength: 14, PasswordClasses: 3, PasswordHistory: 0, PasswordMaxAgeDays: 90, PasswordNIST: false,
			AdminSetsPasswords: true, FailedTryLimit: 7, FailedTryRelease: false, SessionIdle: 20, SessionHard: 600,
			ConfirmAgain: 7,
			MFARequired:  true, EmailCodeAllowed: false, TrustedDeviceDays: 0, PasswordLinkHours: 48, ResetConfirmation: true,
			Country: "CH", Currency: "CHF", DACEnabled: true, LogRetentionDays: 365, MailSenderName: "Ä",
		}, table.Item{
			"passwordMinLength": number("14"), "passwordClasses": number("3"), "passwordHistory": number("0"),
			"passwordMaxAgeDays": number("90"), "passwordNIST": no, "adminSetsPasswords": yes, "failedTryLimit": number("7"),
			"failedTryRelease": no, "sessionIdleMinutes": number("20"), "sessionHardMinutes": number("600"), "mfaRequired": yes,
			"confirmAgainMinutes": number("7"),
			"emailCodeAllowed":    no, "trustedDeviceDays": number("0"), "setPasswordLinkHours": number("48"),
			"resetPasswordConfirmation": yes, "country": text("CH"), "currency": text("CHF"), "dacEnabled": yes,
			"logRetentionDays": number("365"), "mailSenderName": text("Ä"),
		}
}

// Settings are written as they always were, and what is stored reads as what was set.
func TestSettingsAreStoredAsTheyWere(t *testing.T) {
	value, stored := storedSettings()
	got, err := Settings(value)
	if want := table.M(stored); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("written as %v, %v; want %v", got, err, want)
	}
	if got, err := settingsOf(table.M(stored)); err != nil || got != value {
		t.Errorf("read as %+v, %v; want %+v", got, err, value)
	}
}

// What an older release did not store, and what a newer one stores besides, changes nothing of the rest.
func TestStoredSettingsMayLackSomeAndHaveOthers(t *testing.T) {
	want, stored := storedSettings()
	delete(stored, "passwordMinLength")
	delete(stored, "adminSetsPasswords")
	delete(stored, "confirmAgainMinutes")
	stored["fromTheFuture"] = table.S("x")
	want.PasswordMinLength, want.ConfirmAgain = environment.Defaults().PasswordMinLength,
		environment.Defaults().ConfirmAgain
	if got, err := settingsOf(table.M(stored)); err != nil || got != want {
		t.Errorf("read as %+v, %v; want %+v", got, err, want)
	}
	if _, err := settingsOf(table.M(table.Item{"passwordMinLength": table.S("many")})); err == nil {
		t.Error("a number that is none is read")
	}
}

// A setting is stored under the name that forms and the API have for it.
func TestSettingsAreStoredUnderTheirNames(t *testing.T) {
	var s environment.Settings
	members, record := reflect.ValueOf(&s).Elem(), reflect.TypeFor[settingsRecord]()
	for i := range record.NumField() {
		name := record.Field(i).Tag.Get("dynamodbav")
		d := settings.Fields().Find(name)
		if d == nil {
			t.Errorf("internal/dynamo/schema/environment.go: %s is stored as %q, which is no field of "+
				"internal/settings/fields.go",
				record.Field(i).Name, name)
			continue
		}
		if at := reflect.ValueOf(d.At(&s)).Pointer(); at != members.Field(i).Addr().Pointer() {
			t.Errorf("internal/settings/fields.go: %s is another setting than the one that is stored under that name", name)
		}
	}
	_, stored := storedSettings()
	if len(stored) != record.NumField() {
		t.Errorf("internal/dynamo/schema/environment_test.go pins %d settings of %d", len(stored), record.NumField())
	}
}

package schema

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
)

// EnvironmentOf reads an environment from its head item.
func EnvironmentOf(env string, it table.Item) (environment.Environment, error) {
	if it == nil {
		return environment.Environment{},
			fault.New(fault.Unavailable, "noEnvironment", "The environment is not set up yet. Seed it first.")
	}
	out := environment.Environment{
		ID: env, SettingsVersion: table.Int(it, "settingsVersion"), CatalogueVersion: table.Int(it, "catalogueVersion"),
	}
	var err error
	if out.Settings, err = settingsOf(it["settings"]); err != nil {
		return environment.Environment{}, err
	}
	if err := attributevalue.Unmarshal(it["cursorKey"], &out.CursorKey); err != nil {
		return environment.Environment{}, fmt.Errorf("read cursor key: %w", err)
	}
	out.Imports.Last = table.Int(it, "lastImport")
	for n := range table.Map(it, "pending") {
		importID, err := strconv.ParseInt(n, 10, 64)
		if err != nil {
			return environment.Environment{}, fmt.Errorf("read pending imports: %w", err)
		}
		out.Imports.Pending = append(out.Imports.Pending, importID)
	}
	slices.Sort(out.Imports.Pending)
	return out, nil
}

// settingsRecord is the settings as they are stored. It has the fields of environment.Settings in their order: a
// conversion between the two does not compile if one of them has a field that the other has not.
type settingsRecord struct {
	PasswordMinLength  int                 `dynamodbav:"passwordMinLength"`
	PasswordClasses    int                 `dynamodbav:"passwordClasses"`
	PasswordHistory    int                 `dynamodbav:"passwordHistory"`
	PasswordMaxAgeDays int                 `dynamodbav:"passwordMaxAgeDays"`
	PasswordNIST       bool                `dynamodbav:"passwordNIST"`
	AdminSetsPasswords bool                `dynamodbav:"adminSetsPasswords"`
	FailedTryLimit     int                 `dynamodbav:"failedTryLimit"`
	FailedTryRelease   bool                `dynamodbav:"failedTryRelease"`
	SessionIdle        environment.Minutes `dynamodbav:"sessionIdleMinutes"`
	SessionHard        environment.Minutes `dynamodbav:"sessionHardMinutes"`
	ConfirmAgain       environment.Minutes `dynamodbav:"confirmAgainMinutes"`
	MFARequired        bool                `dynamodbav:"mfaRequired"`
	EmailCodeAllowed   bool                `dynamodbav:"emailCodeAllowed"`
	TrustedDeviceDays  int                 `dynamodbav:"trustedDeviceDays"`
	PasswordLinkHours  int                 `dynamodbav:"setPasswordLinkHours"`
	ResetConfirmation  bool                `dynamodbav:"resetPasswordConfirmation"`
	Country            string              `dynamodbav:"country"`
	Currency           string              `dynamodbav:"currency"`
	DACEnabled         bool                `dynamodbav:"dacEnabled"`
	LogRetentionDays   int                 `dynamodbav:"logRetentionDays"`
	MailSenderName     string              `dynamodbav:"mailSenderName"`
}

// Settings returns the settings as the environment's head stores them.
func Settings(s environment.Settings) (types.AttributeValue, error) {
	v, err := attributevalue.Marshal(settingsRecord(s))
	if err != nil {
		return nil, fmt.Errorf("write settings: %w", err)
	}
	return v, nil
}

// settingsOf reads the settings. What is stored without one of them, by an older release, reads as its default.
func settingsOf(v types.AttributeValue) (environment.Settings, error) {
	stored := settingsRecord(environment.Defaults())
	if err := attributevalue.Unmarshal(v, &stored); err != nil {
		return environment.Settings{}, fmt.Errorf("read settings: %w", err)
	}
	return environment.Settings(stored), nil
}

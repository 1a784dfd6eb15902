package mailsend_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"useraccounts/internal/mail"
	"useraccounts/internal/mailsend"
)

// What SES refuses only because something is not set up yet waits, and says what to do; what it will never take is
// refused for good. The answers are those of the service, in its protocol.
func TestWhatSESSaysDecidesWhetherAMailWaits(t *testing.T) {
	for name, c := range map[string]struct {
		status  int
		code    string
		message string
		reason  string // empty for one without
		refused bool
	}{
		"sandbox": {400, "MessageRejected", "Email address is not verified. The following identities failed the check in " +
			"region EU-CENTRAL-1: someone@example.com", "sandbox", false},
		"sender":    {400, "MessageRejected", "Email address not verified: no-reply@example.com", "Verify the sender", false},
		"virus":     {400, "MessageRejected", "Message contains a virus", "", true},
		"nonsense":  {400, "BadRequestException", "Missing final '@domain'", "", true},
		"mail from": {400, "MailFromDomainNotVerifiedException", "x", "MAIL FROM", false},
		"suspended": {400, "AccountSuspendedException", "x", "suspended", false},
		"paused":    {400, "SendingPausedException", "x", "paused", false},
		"quota":     {429, "TooManyRequestsException", "Maximum sending rate exceeded.", "quota", false},
		"role":      {403, "AccessDeniedException", "User is not authorized", "MailSender", false},
		"down":      {503, "ServiceUnavailable", "x", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-Amzn-Errortype", c.code)
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(`{"message":"` + c.message + `"}`))
			}))
			defer server.Close()
			service := mailsend.Open(aws.Config{
				Region: "eu-central-1", BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
				Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
					return aws.Credentials{AccessKeyID: "x", SecretAccessKey: "x"}, nil
				}),
			})
			_, err := service.Send(t.Context(), mail.Email{From: "no-reply@example.com", To: "someone@example.com"})
			if err == nil || errors.Is(err, mail.ErrRefused) != c.refused {
				t.Fatalf("refused for good: %t, want %t: %v", errors.Is(err, mail.ErrRefused), c.refused, err)
			}
			wait, has := errors.AsType[*mail.WaitError](err)
			if has != (c.reason != "") || has && !strings.Contains(wait.Reason, c.reason) {
				t.Errorf("says %+v; want %q", wait, c.reason)
			}
		})
	}
}

// Package mailsend sends mails with SES.
package mailsend

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/aws/smithy-go"

	"useraccounts/internal/mail"
)

// Service is the mail service SES.
type Service struct {
	Client *sesv2.Client
}

var _ mail.Service = Service{}

// Open returns the mail service of a configuration.
func Open(cfg aws.Config) Service { return Service{sesv2.NewFromConfig(cfg)} }

// Send implements mail.Service. SES makes the headers from separate values, so that no value can add a header.
func (s Service) Send(ctx context.Context, e mail.Email) (string, error) {
	utf8 := aws.String("UTF-8")
	out, err := s.Client.SendEmail(ctx, &sesv2.SendEmailInput{
		FromEmailAddress: &e.From, Destination: &types.Destination{ToAddresses: []string{e.To}},
		Content: &types.EmailContent{Simple: &types.Message{
			Subject: &types.Content{Data: &e.Subject, Charset: utf8},
			Body: &types.Body{
				Text: &types.Content{Data: &e.Text, Charset: utf8},
				Html: &types.Content{Data: &e.HTML, Charset: utf8},
			},
		}},
		EmailTags: []types.MessageTag{
			{Name: aws.String("mail"), Value: &e.ID},
			{Name: aws.String("kind"), Value: aws.String(string(e.Kind))},
		},
	})
	if err != nil {
		return "", sendError(err)
	}
	return aws.ToString(out.MessageId), nil
}

// sendError marks permanent errors as mail.ErrRefused, and says of temporary ones what can be done. What it does not
// know may be temporary.
func sendError(err error) error {
	wait := func(reason string) error { return &mail.WaitError{Reason: reason, Err: err} }
	if rejected, ok := errors.AsType[*types.MessageRejected](err); ok && unverified(rejected.ErrorMessage()) {
		return wait("The mail service (SES) says that an address is not verified: that of the sender, or, while its " +
			"account is in the sandbox, that of the addressee. Verify the sender's address or domain, " +
			"and ask for production access.")
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		return err
	}
	switch api.ErrorCode() {
	case "MessageRejected", "BadRequestException":
		return errors.Join(mail.ErrRefused, err)
	case "MailFromDomainNotVerifiedException":
		return wait("The mail service (SES) says that the MAIL FROM domain of the sender is not verified. Add its DNS " +
			"records, or remove the domain from the identity.")
	case "AccountSuspendedException", "SendingPausedException":
		return wait("The mail service (SES) has suspended or paused sending for its account. See the reputation of the " +
			"account, and answer the case that was opened.")
	case "LimitExceededException", "TooManyRequestsException":
		return wait("The sending quota of the mail service (SES) is reached. Ask for a higher one if it happens again.")
	case "AccessDeniedException":
		return wait("The mailer may not send as this sender. Set MailSender to an address that the stack's role and the " +
			"identity allow.")
	}
	return err
}

// unverified reports whether a rejection is of an address that is not verified yet. SES has no code of its own for it,
// in a sandbox nor outside, so the text tells.
func unverified(message string) bool {
	return strings.Contains(strings.ToLower(message), "not verified")
}

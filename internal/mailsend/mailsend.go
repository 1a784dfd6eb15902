// Package mailsend sends mails with SES.
package mailsend

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"

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

// sendError marks permanent errors as mail.ErrRefused. All others may be temporary: limits, a suspended account, an
// address that is not verified yet.
func sendError(err error) error {
	var (
		rejected *types.MessageRejected
		bad      *types.BadRequestException
	)
	if errors.As(err, &rejected) || errors.As(err, &bad) {
		return errors.Join(mail.ErrRefused, err)
	}
	return err
}

package localtest

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"useraccounts/internal/local/services"
)

// MailService is a local mail service that can be down for a while.
type MailService struct {
	URL     string
	service *services.MailService
	t       testing.TB
}

// ReceivedMail is a mail that arrived.
type ReceivedMail struct {
	From        string `json:"from"`
	Subject     string `json:"subject"`
	Destination struct {
		To []string `json:"to"`
	} `json:"destination"`
	Body struct {
		HTML string `json:"html"`
		Text string `json:"text"`
	} `json:"body"`
}

// ReserveMailService reserves the address of a mail service for the test. Nothing answers there before Start.
func ReserveMailService(t testing.TB) *MailService {
	t.Helper()
	reserved, err := services.ReserveMailService()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(reserved.Release)
	return &MailService{URL: reserved.URL, service: reserved, t: t}
}

// Start starts the service, empty.
func (m *MailService) Start() {
	m.t.Helper()
	root, err := services.Root()
	if err != nil {
		m.t.Fatal(err)
	}
	withTimeout(m.t, "starting the mail service", func(ctx context.Context) error {
		return m.service.Start(ctx, services.Config{Root: root, Logs: m.t.TempDir(), Progress: m.t.Logf})
	})
}

// Stop ends the service.
func (m *MailService) Stop() { m.service.Stop() }

// Mails returns what arrived so far.
func (m *MailService) Mails() []ReceivedMail {
	m.t.Helper()
	var store struct {
		Emails []ReceivedMail `json:"emails"`
	}
	withTimeout(m.t, "reading the mailbox", func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, m.URL+"/store", nil)
		if err != nil {
			return err
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer func() { _ = answer.Body.Close() }() // it was only read
		return json.NewDecoder(answer.Body).Decode(&store)
	})
	return store.Emails
}

// Wait returns the mails to an address once there are as many, or fails.
func (m *MailService) Wait(to string, count int) []ReceivedMail {
	m.t.Helper()
	var found []ReceivedMail
	for until := time.Now().Add(30 * time.Second); time.Now().Before(until); time.Sleep(100 * time.Millisecond) {
		found = nil
		for _, mail := range m.Mails() {
			if len(mail.Destination.To) == 1 && mail.Destination.To[0] == to {
				found = append(found, mail)
			}
		}
		if len(found) >= count {
			return found
		}
	}
	m.t.Fatalf("%d mails to %s, want %d", len(found), to, count)
	return nil
}

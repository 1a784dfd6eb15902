package services

import (
	"context"
	"path/filepath"
	"strconv"

	"useraccounts/internal/local/process"
)

func mailService(s settings) (program, error) {
	return program{
		name: "mail", path: s.node,
		arguments: []string{
			filepath.Join(s.modules, "aws-ses-v2-local", "dist", "cli.js"), "--host", "127.0.0.1", "--port",
			strconv.Itoa(s.port.number),
		},
		environment: []string{"NODE_ENV=production", "NODE_NO_WARNINGS=1"},
	}, nil
}

// MailService is a mail service by itself, at an address that it keeps while it is down. For tests.
type MailService struct {
	URL     string
	port    port
	running *Services
}

// ReserveMailService finds an address. Nothing listens there before Start.
func ReserveMailService() (*MailService, error) {
	p, err := freePort()
	if err != nil {
		return nil, err
	}
	return &MailService{URL: p.url(), port: p}, nil
}

// Start starts the service and returns when it answers. Its mails are gone when it stops.
func (m *MailService) Start(ctx context.Context, cfg Config) error {
	cfg.Only, cfg.Mail = []string{}, true
	t, err := findTools(ctx, cfg)
	if err != nil {
		return err
	}
	in, err := install(ctx, cfg, t)
	if err != nil {
		return err
	}
	s := &Services{failed: make(chan error, 1), stopping: make(chan struct{})}
	what, err := mailService(settings{installation: in, port: m.port})
	if err != nil {
		return err
	}
	if err := s.launch(what, m.port, cfg.Logs); err != nil {
		return err
	}
	m.running = s
	return s.waitUntilReady(ctx)
}

// Stop ends the service, if it runs.
func (m *MailService) Stop() {
	if m.running != nil {
		m.running.Stop()
		m.running = nil
	}
}

// Release gives the address back.
func (m *MailService) Release() {
	m.Stop()
	var lock *process.Lock
	lock, m.port.lock = m.port.lock, nil
	if lock != nil {
		lock.Release()
	}
}

package main

import (
	"fmt"
	"strings"
	"time"

	"useraccounts/internal/local"
)

// welcome is the block that ends the start: everything in it answers by now.
func welcome(s *local.System, o local.Options, took time.Duration) string {
	data := "in memory, gone with Ctrl-C; make run DATA=dir keeps it"
	if o.Data != "" {
		data = o.Data
	}
	address, named := s.URL, o.Parameters["PublicUrl"]
	if named != "" {
		address = named
	}
	lines := [][2]string{
		{"Address", address},
		{"API reference", address + "/api/docs"},
	}
	if named == "" {
		// WebAuthn binds passkeys to a name, and cookies are taken from the one public address.
		lines = append(lines,
			[2]string{"Passkeys", fmt.Sprintf("need a name: make run PUBLIC_URL=http://localhost:%d", o.Port)})
	}
	if s.Endpoints.Mail != "" {
		lines = append(lines,
			[2]string{"Mailbox", s.Endpoints.Mail + " (every mail that is sent ends there; GET /store has them as JSON)"})
	}
	for _, line := range s.SeedNotes {
		name, text, _ := strings.Cut(line, ": ")
		lines = append(lines, [2]string{name, text})
	}
	lines = append(lines,
		[2]string{"Data", data},
		[2]string{"Logs", o.Logs + " (VERBOSE=1 shows them here)"},
		[2]string{"Stop", "Ctrl-C"},
	)
	var b strings.Builder
	fmt.Fprintf(&b, "\nReady after %.1f s.\n\n", took.Seconds())
	for _, line := range lines {
		fmt.Fprintf(&b, "  %-14s %s\n", line[0], line[1])
	}
	return b.String() + "\n"
}

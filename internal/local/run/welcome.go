package main

import (
	"fmt"
	"strings"
	"time"

	"useraccounts/internal/local"
	"useraccounts/internal/local/services"
)

// welcome is the block that ends the start: everything in it answers by now.
func welcome(s *local.System, o local.Options, took time.Duration) string {
	address := o.Parameters["PublicUrl"]
	lines := [][2]string{{"Address", address}, {"API reference", address + "/api/docs"}}
	for _, note := range s.SeedNotes {
		name, text, _ := strings.Cut(note, ": ")
		lines = append(lines, [2]string{name, text})
	}
	given := services.EndpointsFromEnvironment()
	lines = append(lines, mails(s.Endpoints, given))
	lines = append(lines, where(s, o, given)...)
	lines = append(lines,
		[2]string{"Logs", o.Logs + " (VERBOSE=1 shows them here; .previous beside it has those of the run before)"},
		[2]string{"Stop", "Ctrl-C"},
	)
	var b strings.Builder
	fmt.Fprintf(&b, "\nReady after %.1f s.\n\n", took.Seconds())
	for _, line := range lines {
		fmt.Fprintf(&b, "  %-14s %s\n", line[0], line[1])
	}
	return b.String() + "\n"
}

// mails says what becomes of mails.
func mails(used, given services.Endpoints) [2]string {
	switch used.Mail {
	case "":
		return [2]string{"Mails", "wait in the outbox: AWS_ENDPOINT_URL_SESV2 names no mail service"}
	case given.Mail:
		return [2]string{"Mails", "are sent through " + used.Mail + " (AWS_ENDPOINT_URL_SESV2)"}
	}
	return [2]string{"Mailbox", used.Mail + " (every mail that is sent ends there; GET /store has them as JSON)"}
}

// where says which services are used and where the data is.
func where(s *local.System, o local.Options, given services.Endpoints) [][2]string {
	var lines [][2]string
	own := false
	for _, service := range []struct{ name, used, given, holds string }{
		{"DynamoDB", s.Endpoints.DynamoDB, given.DynamoDB, "tables " + s.TableName() + ", " + s.Resources.Tables["Outbox"]},
		{"S3", s.Endpoints.S3, given.S3, "bucket " + s.Resources.Buckets["Files"]},
		{"SQS", s.Endpoints.SQS, given.SQS, "queue " + s.Resources.Queues["TransferQueue"]},
	} {
		if service.given == "" {
			own = true
			continue
		}
		lines = append(lines, [2]string{service.name, service.used + " (given): " + service.holds})
	}
	if len(lines) > 0 {
		lines = append(lines, [2]string{"Key", o.KeyFile() + ": keep it, the table's secrets open with nothing else"})
	}
	switch {
	case !own:
		return lines
	case o.Data == "":
		return append(lines, [2]string{"Data", "in memory, gone with Ctrl-C; make run DATA=dir keeps it"})
	}
	return append(lines, [2]string{"Data", o.Data})
}

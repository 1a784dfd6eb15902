// Command worker appends the body of each message to a file and does what the body says.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

func main() { lambda.Start(handle) }

func handle(_ context.Context, e events.SQSEvent) (events.SQSEventResponse, error) {
	var response events.SQSEventResponse
	for _, m := range e.Records {
		line := fmt.Sprintf("%s %s %s %s", m.Attributes["MessageGroupId"], m.Body, m.Attributes["ApproximateReceiveCount"],
			m.EventSource)
		if err := note("start " + line); err != nil {
			return response, err
		}
		switch {
		case strings.HasPrefix(m.Body, "fail"):
			response.BatchItemFailures = append(response.BatchItemFailures,
				events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
		case strings.HasPrefix(m.Body, "error"):
			return response, errors.New("asked to fail")
		case strings.HasPrefix(m.Body, "once") && m.Attributes["ApproximateReceiveCount"] == "1":
			os.Exit(4)
		case strings.HasPrefix(m.Body, "hang") && m.Attributes["ApproximateReceiveCount"] == "1":
			time.Sleep(time.Hour)
		case strings.HasPrefix(m.Body, "slow"):
			time.Sleep(time.Second)
		}
		if err := note("end " + line); err != nil {
			return response, err
		}
	}
	return response, nil
}

func note(line string) error {
	file, err := os.OpenFile(os.Getenv("NOTES"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = fmt.Fprintln(file, line)
	return err
}

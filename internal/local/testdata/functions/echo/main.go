// Command echo answers with the event that it got, and misbehaves when the query asks for it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

func main() { lambda.Start(handle) }

func handle(_ context.Context, e events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	switch do, argument, _ := strings.Cut(e.QueryStringParameters["do"], ":"); do {
	case "error":
		return events.APIGatewayV2HTTPResponse{}, errors.New("asked to fail")
	case "exit":
		os.Exit(3)
	case "sleep":
		pause, err := time.ParseDuration(argument)
		if err != nil {
			return events.APIGatewayV2HTTPResponse{}, err
		}
		time.Sleep(pause)
	case "environment":
		return answer(map[string]any{"environment": os.Environ(), "pid": os.Getpid()})
	case "large":
		return events.APIGatewayV2HTTPResponse{StatusCode: 200, Body: strings.Repeat("x", 7<<20)}, nil
	}
	fmt.Println(`{"level":"INFO","msg":"echo"}`)
	return answer(e)
}

func answer(v any) (events.APIGatewayV2HTTPResponse, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return events.APIGatewayV2HTTPResponse{}, err
	}
	return events.APIGatewayV2HTTPResponse{
		StatusCode: 200, Body: string(body), Cookies: []string{"a=1; Path=/", "b=2"},
		Headers: map[string]string{"Content-Type": "application/json", "X-Pid": fmt.Sprint(os.Getpid())},
	}, nil
}

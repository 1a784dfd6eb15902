package local_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"useraccounts/internal/local"
	"useraccounts/internal/local/localtest"
)

// startTestSystem starts the system of testdata/template.yaml and returns it with the file in which its worker takes
// notes.
func startTestSystem(t *testing.T) (*localtest.RunningSystem, string) {
	t.Helper()
	notes := filepath.Join(t.TempDir(), "notes")
	return localtest.System(t, func(o *local.Options) {
		o.TemplateFile = "testdata/template.yaml"
		o.SourceRoot = "testdata"
		o.Binaries = filepath.Join(o.Root, ".build", "functions-of-tests")
		o.Parameters = map[string]string{"Notes": notes}
	}), notes
}

func get(t *testing.T, url string) (int, string, http.Header) {
	t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body), answer.Header
}

func TestRequestReachesTheBuiltFunction(t *testing.T) {
	system, _ := startTestSystem(t)
	status, body, header := get(t, system.URL+"/items/a%20b?x=1&x=2")
	if status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	var event events.APIGatewayV2HTTPRequest
	if err := json.Unmarshal([]byte(body), &event); err != nil {
		t.Fatal(err)
	}
	if event.RouteKey != "ANY /items/{id}" || event.PathParameters["id"] != "a b" ||
		event.QueryStringParameters["x"] != "1,2" {
		t.Errorf("event %s", body)
	}
	if got := header.Values("Set-Cookie"); !slices.Equal(got, []string{"a=1; Path=/", "b=2"}) {
		t.Errorf("cookies %q", got)
	}
}

func TestFunctionGetsOnlyItsEnvironment(t *testing.T) {
	t.Setenv("SECRET_OF_THE_DEVELOPER", "x")
	system, _ := startTestSystem(t)
	_, body, _ := get(t, system.URL+"/?do=environment")
	var got struct{ Environment []string }
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"TABLE_NAME=" + system.TableName, "AWS_LAMBDA_FUNCTION_NAME=echo", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256", "TZ=:UTC",
		"AWS_ENDPOINT_URL_DYNAMODB=" + system.Endpoints.DynamoDB, "QUEUE_URL=" + system.Resources.Queues["Jobs"],
	} {
		if !slices.Contains(got.Environment, want) {
			t.Errorf("no %s in %q", want, got.Environment)
		}
	}
	for _, have := range got.Environment {
		if strings.HasPrefix(have, "SECRET_OF") || strings.HasPrefix(have, "HOME=") {
			t.Errorf("%s has reached the function", have)
		}
	}
}

func TestFailuresOfFunctions(t *testing.T) {
	system, _ := startTestSystem(t)
	for name, want := range map[string]int{
		"/?do=error": 500, "/?do=exit": 500, "/?do=sleep:5s": 500, "/?do=large": 500, "/nothing": 404, "/": 200,
	} {
		t.Run(name, func(t *testing.T) {
			if status, body, _ := get(t, system.URL+name); status != want {
				t.Errorf("%d, want %d: %.200s", status, want, body)
			}
			if status, body, _ := get(t, system.URL+"/"); status != 200 {
				t.Errorf("afterwards: %d %s", status, body)
			}
		})
	}
}

func TestKilledFunctionIsStartedAgain(t *testing.T) {
	system, _ := startTestSystem(t)
	for range 5 {
		_, _, before := get(t, system.URL+"/")
		if system.Kill("echo") == 0 {
			t.Fatal("no process")
		}
		status, body, after := get(t, system.URL+"/")
		if status != 200 || before.Get("X-Pid") == after.Get("X-Pid") {
			t.Fatalf("%d %s: process %s after %s", status, body, after.Get("X-Pid"), before.Get("X-Pid"))
		}
	}
}

func TestProcessesGrowOnDemand(t *testing.T) {
	system, _ := startTestSystem(t)
	answers := make(chan int, 3)
	started := time.Now()
	for range 3 {
		go func() {
			status, _, _ := get(t, system.URL+"/?do=sleep:1s")
			answers <- status
		}()
	}
	for range 3 {
		if status := <-answers; status != 200 {
			t.Errorf("status %d", status)
		}
	}
	if n := len(system.PIDs("echo")); n != 3 {
		t.Errorf("%d processes after %s", n, time.Since(started))
	}
}

func sendMessage(t *testing.T, system *localtest.RunningSystem, group, body string) {
	t.Helper()
	_, err := system.Endpoints.SQSClient().SendMessage(context.Background(), &sqs.SendMessageInput{
		QueueUrl: aws.String(system.Resources.Queues["Jobs"]), MessageBody: &body, MessageGroupId: &group,
		MessageDeduplicationId: aws.String(group + body),
	})
	if err != nil {
		t.Fatal(err)
	}
}

func waitForNotes(t *testing.T, file string, done func(lines []string) bool) []string {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		content, err := os.ReadFile(file)
		lines := strings.Split(strings.TrimSpace(string(content)), "\n")
		if err == nil && done(lines) {
			return lines
		}
		if time.Now().After(deadline) {
			t.Fatalf("notes are %q", lines)
		}
	}
}

func TestQueueKeepsTheOrderOfAGroupAndRunsGroupsBesideEachOther(t *testing.T) {
	system, notes := startTestSystem(t)
	sendMessage(t, system, "a", "slow1")
	sendMessage(t, system, "a", "2")
	sendMessage(t, system, "b", "slow3")
	lines := waitForNotes(t, notes, func(lines []string) bool { return len(lines) == 6 })
	at := func(line string) int { return slices.Index(lines, line+" 1 aws:sqs") }
	if at("start a 2") < at("end a slow1") {
		t.Errorf("the second of a group began before the first ended: %q", lines)
	}
	if at("start b slow3") > at("end a slow1") {
		t.Errorf("one group waited for the other: %q", lines)
	}
}

func TestFailedMessagesComeBackAndGoToTheDeadLetters(t *testing.T) {
	for _, body := range []string{"fail", "error"} {
		t.Run(body, func(t *testing.T) {
			system, notes := startTestSystem(t)
			sendMessage(t, system, "a", body)
			sendMessage(t, system, "a", "next")
			lines := waitForNotes(t, notes, func(lines []string) bool { return slices.Contains(lines, "end a next 1 aws:sqs") })
			if want := "start a " + body + " 2 aws:sqs"; !slices.Contains(lines, want) {
				t.Errorf("no second try in %q", lines)
			}
			if again := "start a " + body + " 3 aws:sqs"; slices.Contains(lines, again) {
				t.Errorf("a third try in %q, and the template allows two", lines)
			}
			dead, err := system.Endpoints.SQSClient().ReceiveMessage(context.Background(), &sqs.ReceiveMessageInput{
				QueueUrl: aws.String(system.Resources.Queues["Dead"]), WaitTimeSeconds: 5,
			})
			if err != nil || len(dead.Messages) != 1 || *dead.Messages[0].Body != body {
				t.Errorf("dead letters %+v, %v", dead, err)
			}
		})
	}
}

func TestMessageOfACrashedWorkerComesBack(t *testing.T) {
	system, notes := startTestSystem(t)
	sendMessage(t, system, "a", "once")
	waitForNotes(t, notes, func(lines []string) bool { return slices.Contains(lines, "end a once 2 aws:sqs") })
}

// What a worker had in hand when the runner was stopped is there for the next runner at once, and not after the lease
// of half a minute.
func TestWorkGoesOnAtOnceAfterAStop(t *testing.T) {
	system, notes := startTestSystem(t)
	sendMessage(t, system, "a", "hang")
	waitForNotes(t, notes, func(lines []string) bool { return slices.Contains(lines, "start a hang 1 aws:sqs") })
	system.Stop()
	got, err := system.Endpoints.SQSClient().ReceiveMessage(context.Background(), &sqs.ReceiveMessageInput{
		QueueUrl: aws.String(system.Resources.Queues["Jobs"]), WaitTimeSeconds: 1,
	})
	if err != nil || len(got.Messages) != 1 || *got.Messages[0].Body != "hang" {
		t.Errorf("messages %+v, %v", got, err)
	}
}

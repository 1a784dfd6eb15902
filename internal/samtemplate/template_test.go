package samtemplate

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"useraccounts/internal/environment"
)

const head = `
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: { Type: String, Default: main }
  Wait: { Type: Number, Default: 7 }
  Given: { Type: String }
Globals:
  Function:
    Runtime: provided.al2023
    Handler: bootstrap
    Timeout: !Ref Wait
    MemorySize: 256
    Environment: { Variables: { STAGE: !Ref Stage, SHARED: global } }
Resources:
`

const table = `
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{ AttributeName: PK, AttributeType: S }, { AttributeName: SK, AttributeType: "N" }]
      KeySchema: [{ AttributeName: PK, KeyType: HASH }, { AttributeName: SK, KeyType: RANGE }]
      StreamSpecification: { StreamViewType: KEYS_ONLY }
      TimeToLiveSpecification: { AttributeName: gone, Enabled: true }
`

const queues = `
  Jobs:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub ${AWS::StackName}-jobs.fifo
      FifoQueue: true
      VisibilityTimeout: 60
      RedrivePolicy: { deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3 }
  Dead: { Type: AWS::SQS::Queue, Properties: { FifoQueue: true } }
`

// stream is a function's event of a table's stream.
func stream(of, from, more string) string {
	return "      Events: { E: { Type: DynamoDB, Properties: { Stream: " + of + ", StartingPosition: " + from +
		", MaximumRetryAttempts: 3, " + more + " } } }\n"
}

func TestStreamsAndSchedules(t *testing.T) {
	got := mustParse(t,
		head+table+queues+
			function("      Events:\n        S: { Type: DynamoDB, Properties: { Stream: !GetAtt Table.StreamArn, "+
				"StartingPosition: TRIM_HORIZON, BatchSize: 7, BisectBatchOnFunctionError: true, MaximumRetryAttempts: 3, "+
				"FunctionResponseTypes: [ReportBatchItemFailures], DestinationConfig: { OnFailure: { Destination: !GetAtt "+
				"Dead.Arn } } } }\n        C: { Type: Schedule, Properties: { Schedule: rate(2 days) } }\n"))
	f := got.Functions[0]
	want := StreamTrigger{
		LogicalID: "S", Table: "Table", BatchSize: 7, Bisects: true, Retries: 3, ReportsPartialFailures: true,
		DeadLetterQueue: "Dead",
	}
	if len(f.Streams) != 1 || f.Streams[0] != want {
		t.Errorf("streams %+v", f.Streams)
	}
	if len(f.Schedules) != 1 || f.Schedules[0] != (Schedule{LogicalID: "C", Every: 48 * time.Hour}) ||
		!got.Tables[0].StreamConsumed {
		t.Errorf("schedules %+v, fed %v", f.Schedules, got.Tables[0].StreamConsumed)
	}
	if unread := mustParse(t, head+table); unread.Tables[0].StreamConsumed {
		t.Error("a stream that nobody reads counts as read")
	}
}

func function(properties string) string {
	return `
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/hello/
` + properties
}

func mustParse(t *testing.T, source string) *Template {
	t.Helper()
	parsed, err := Parse([]byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func TestFunctionMergesGlobals(t *testing.T) {
	parsed := mustParse(t, head+table+function(`
      MemorySize: 512
      Environment:
        Variables:
          SHARED: own
          TABLE: !Ref Table
          ARN: {"Fn::GetAtt": [Table, Arn]}
          URL: !Sub "https://${AWS::Region}/${Table.Arn}/${!literal}/${Stage}"
          LIST: !Join [",", [a, !Ref Stage]]
      Events:
        One: { Type: HttpApi, Properties: { Method: get, Path: "/a/{id}" } }
        Any: { Type: HttpApi }
`))
	f := parsed.Functions[0]
	if f.Name != "hello" || f.CodeURI != "functions/hello" || f.MemoryMB != 512 || f.Timeout != 7*time.Second {
		t.Errorf("function %+v", f)
	}
	if keys := []string{f.Routes[0].Key(), f.Routes[1].Key()}; !slices.Equal(keys, []string{"GET /a/{id}", "$default"}) {
		t.Errorf("routes %q", keys)
	}
	got, err := parsed.Resolve(f, Values{
		Parameters: map[string]string{"AWS::Region": "here"},
		Refs:       map[string]string{"Table": "t1"}, Attributes: map[string]string{"Table.Arn": "arn:t1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"STAGE": "main", "SHARED": "own", "TABLE": "t1", "ARN": "arn:t1", "URL": "https://here/arn:t1/${literal}/main",
		"LIST": "a,main",
	} {
		if got[name] != want {
			t.Errorf("%s = %q, want %q", name, got[name], want)
		}
	}
}

func TestResolveNamesWhatIsMissing(t *testing.T) {
	for variable, want := range map[string]string{
		"!Ref Given":      "Resources.Hello.Properties.Environment.Variables.X: nothing is known of !Ref Given here",
		"!GetAtt Hello.A": "Resources.Hello.Properties.Environment.Variables.X: nothing is known of !GetAtt Hello.A here",
	} {
		parsed := mustParse(t, head+function("      Environment: { Variables: { X: "+variable+" } }\n"))
		if _, err := parsed.Resolve(parsed.Functions[0], Values{}); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", variable, err, want)
		}
	}
}

func TestResources(t *testing.T) {
	parsed := mustParse(t, head+table+queues+`
  Files: { Type: AWS::S3::Bucket, Properties: { VersioningConfiguration: { Status: Enabled } } }
`+function(`
      Events:
        Jobs:
          Type: SQS
          Properties:
            { Queue: !GetAtt Jobs.Arn, BatchSize: 1, FunctionResponseTypes: [ReportBatchItemFailures],
              ScalingConfig: { MaximumConcurrency: 4 } }
`))
	if got := parsed.Tables[0]; got.Partition != (Key{"PK", "S"}) || *got.Sort != (Key{"SK", "N"}) ||
		got.StreamView != "KEYS_ONLY" || got.TTL != "gone" {
		t.Errorf("table %+v", got)
	}
	if got := parsed.Queues[0]; !got.FIFO || got.VisibilityTimeout != time.Minute || got.DeadLetterQueue != "Dead" ||
		got.MaxReceiveCount != 3 {
		t.Errorf("queue %+v", got)
	}
	name, err := parsed.Queues[0].Name.Resolve(Values{Parameters: map[string]string{"AWS::StackName": "s"}})
	if err != nil || name != "s-jobs.fifo" {
		t.Errorf("name %q, %v", name, err)
	}
	if !parsed.Buckets[0].Versioned {
		t.Error("the bucket is not versioned")
	}
	want := QueueTrigger{LogicalID: "Jobs", Queue: "Jobs", BatchSize: 1, ReportsPartialFailures: true,
		MaximumConcurrency: 4}
	if got := parsed.Functions[0].Triggers[0]; got != want {
		t.Errorf("trigger %+v", got)
	}
}

func TestWhatIsNotUnderstoodIsNamed(t *testing.T) {
	for name, c := range map[string]struct{ source, want string }{
		"resource type": {"  X: { Type: AWS::Lambda::Function }\n",
			"Resources.X.Properties: AWS::Lambda::Function is not supported"},
		"resource attr": {"  X: { Type: AWS::S3::Bucket, Condition: C }\n", "Resources.X.Condition: not supported here"},
		"table index": {table + "      LocalSecondaryIndexes: []\n",
			"Resources.Table.Properties.LocalSecondaryIndexes: not supported here"},
		"key without type": {strings.Replace(table, "{ AttributeName: PK, AttributeType: S }, ", "", 1),
			"PK is not among the AttributeDefinitions"},
		"function property": {function("      Layers: [x]\n"), "Resources.Hello.Properties.Layers: not supported here"},
		"event type": {function("      Events: { E: { Type: SNS } }\n"),
			"Resources.Hello.Properties.Events.E.Type: events of type SNS are not supported"},
		"schedule": {
			function("      Events: { E: { Type: Schedule, Properties: { Schedule: cron(0 1 * * ? *) } } }\n"),
			"want rate(n minutes), hours or days"},
		"stream of none": {function(stream("!GetAtt Table.StreamArn", "TRIM_HORIZON", "")), "no table Table"},
		"stream of data": {strings.Replace(table, "KEYS_ONLY", "NEW_IMAGE", 1) +
			function(stream("!GetAtt Table.StreamArn", "TRIM_HORIZON", "")), "the stream of Table has to be KEYS_ONLY"},
		"stream by name":  {table + function(stream("!GetAtt Table.Arn", "TRIM_HORIZON", "")), "want !GetAtt StreamArn"},
		"stream from now": {table + function(stream("!GetAtt Table.StreamArn", "LATEST", "")), "want TRIM_HORIZON"},
		"stream for ever": {table +
			function(strings.Replace(stream("!GetAtt Table.StreamArn", "TRIM_HORIZON", ""), "MaximumRetryAttempts: 3, ", "",
				1)), "MaximumRetryAttempts of 0 to 100"},
		"stream's failures": {table +
			function(stream("!GetAtt Table.StreamArn", "TRIM_HORIZON",
				"DestinationConfig: { OnFailure: { Destination: !GetAtt Nowhere.Arn } }")), "no queue Nowhere"},
		"route property": {function("      Events: { E: { Type: HttpApi, Properties: { Auth: {} } } }\n"),
			"Properties.Events.E.Properties.Auth: not supported here"},
		"payload version": {
			function("      Events: { E: { Type: HttpApi, Properties: { PayloadFormatVersion: '1.0' } } }\n"),
			"PayloadFormatVersion: want 2.0"},
		"method": {function("      Events: { E: { Type: HttpApi, Properties: { Method: FETCH, Path: / } } }\n"),
			"FETCH is no method"},
		"greedy inside": {
			function("      Events: { E: { Type: HttpApi, Properties: { Method: GET, Path: '/{a+}/b' } } }\n"),
			"{a+} has to come last"},
		"half a parameter": {
			function("      Events: { E: { Type: HttpApi, Properties: { Method: GET, Path: '/x{a}' } } }\n"),
			"x{a} is no parameter"},
		"intrinsic": {function("      Environment: { Variables: { X: !Select [0, [a]] } }\n"),
			"Environment.Variables.X: !Select is not supported here"},
		"sub with map": {function("      Environment: { Variables: { X: !Sub ['${a}', {a: b}] } }\n"),
			"!Sub with a map of its own is not supported"},
		"timeout":      {function("      Timeout: 901\n"), "Timeout: want 1 to 900 seconds, have 901"},
		"timeout text": {function("      Timeout: soon\n"), `Timeout: want a whole number, have "soon"`},
		"runtime":      {function("      Runtime: go1.x\n"), "Runtime: want provided.al2023, have go1.x"},
		"code elsewhere": {strings.Replace(function(""), "functions/hello/", "../x", 1),
			"want a folder below the template, have ../x"},
		"headers of origins": {
			"  X: { Type: AWS::S3::Bucket, Properties: { CorsConfiguration: { CorsRules: [{ AllowedHeaders: ['*'] }] } } }\n",
			"AllowedHeaders: not supported here"},
		"unknown queue": {function("      Events: { E: { Type: SQS, Properties: { Queue: !GetAtt Jobs.Arn } } }\n"),
			"no queue Jobs"},
		"queue by text": {function("      Events: { E: { Type: SQS, Properties: { Queue: 'arn:x' } } }\n"),
			"want !GetAtt of a queue of this template"},
		"dead letters": {strings.Split(queues, "  Dead:")[0], "Resources.Jobs.Properties.RedrivePolicy: no queue Dead"},
		"anchor":       {"  X: &a { Type: AWS::S3::Bucket }\n", "Anchor is not supported in a template"},
		"route twice": {
			function("      Events: { A: { Type: HttpApi, Properties: { Method: GET, Path: /a } }, B: { Type: HttpApi, " +
				"Properties: { Method: GET, Path: /a } } }\n"),
			"GET /a leads to Hello already"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse([]byte(head + c.source)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestNoTemplateAtAll(t *testing.T) {
	for name, source := range map[string]string{
		"empty": "", "two": "a: 1\n---\nb: 2\n", "broken": "a: [", "text": "hello", "unknown section": "Mappings: {}\n",
		"no transform": "Resources: {}\n",
		"a key twice":  "Transform: AWS::Serverless-2016-10-31\nResources: {}\nResources: {}\n",
	} {
		if _, err := Parse([]byte(source)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// V85, V68: a job is delivered five times before it is a dead letter, and none of the template's numbers contradict
// each other.
func TestTheProjectsTemplate(t *testing.T) {
	root := filepath.Join("..", "..")
	parsed, err := Load(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(parsed.Tables) != 2 || len(parsed.Buckets) != 1 || len(parsed.Queues) != 3 {
		t.Errorf("%d tables, %d buckets, %d queues", len(parsed.Tables), len(parsed.Buckets), len(parsed.Queues))
	}
	for _, f := range parsed.Functions {
		if _, err := os.Stat(filepath.Join(root, f.CodeURI)); err != nil {
			continue // TestEveryFunctionFolderIsInTheTemplate and the build have the other direction
		}
		if _, err := os.Stat(filepath.Join(root, f.CodeURI, "main.go")); err != nil {
			t.Errorf("%s: %v", f.LogicalID, err)
		}
		for _, trigger := range f.Triggers {
			// A queue of dead letters has none itself: what fails there stays and comes back.
			dead := slices.ContainsFunc(parsed.Queues, func(q Queue) bool { return q.DeadLetterQueue == trigger.Queue })
			if q, _ := parsed.Queue(trigger.Queue); q.VisibilityTimeout < 6*f.Timeout || !dead && q.MaxReceiveCount < 5 {
				t.Errorf("%s: visibility %s and %d deliveries for a function of %s", trigger.Queue, q.VisibilityTimeout,
					q.MaxReceiveCount, f.Timeout)
			}
		}
		if len(f.Routes) > 0 && f.Timeout >= 30*time.Second {
			t.Errorf("%s may take %s, and the API gives up after 30 s", f.LogicalID, f.Timeout)
		}
	}
}

// V49, V50, V68: pages of this deployment may post to the bucket, and no other page may ask it anything.
func TestOnlyTheConsolePostsToTheBucket(t *testing.T) {
	parsed, err := Load("../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range parsed.Buckets {
		for _, rule := range b.CORSRules {
			if len(rule.Methods) != 1 || rule.Methods[0] != "POST" || len(rule.Origins) != 1 {
				t.Errorf("%s allows %+v", b.LogicalID, rule)
				continue
			}
			if name, ok := rule.Origins[0].RefersTo(); !ok || name != "PublicUrl" {
				t.Errorf("%s allows %+v, want !Ref PublicUrl alone", b.LogicalID, rule.Origins[0])
			}
		}
	}
	if len(parsed.Buckets) == 0 || len(parsed.Buckets[0].CORSRules) != 1 {
		t.Error("no bucket takes uploads of the console")
	}
}

func TestEveryFunctionFolderIsInTheTemplate(t *testing.T) {
	root := filepath.Join("..", "..")
	parsed, err := Load(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	mains, err := filepath.Glob(filepath.Join(root, "functions", "*", "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range mains {
		name := filepath.Base(filepath.Dir(file))
		if _, known := parsed.Function(name); !known {
			t.Errorf("functions/%s is built by nobody: the template does not name it", name)
		}
	}
}

// The rule of an environment's id, which is part of keys, is the same in the template, the seeder and the functions.
func TestTheTemplateChecksEnvironmentIDsAsTheFunctionsDo(t *testing.T) {
	source, err := os.ReadFile(filepath.Join("..", "..", "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := parseYAML(source)
	if err != nil {
		t.Fatal(err)
	}
	pattern, err := node{raw: raw}.child("Parameters").child("EnvironmentId").child("AllowedPattern").required()
	if err != nil || pattern != environment.IDPattern {
		t.Errorf("EnvironmentId has the pattern %q, the functions %q; %v", pattern, environment.IDPattern, err)
	}
}

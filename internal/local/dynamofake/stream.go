package dynamofake

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// shardID names the one shard of a stream, which never ends.
const shardID = "shardId-00000000000000000000-00000001"

// stream is the stream of a table: the keys of what changed, and how.
type stream struct {
	arn, label string
	view       types.StreamViewType
	records    []streamtypes.Record
}

func newStream(t *table, view types.StreamViewType) *stream {
	label := t.created.UTC().Format("2006-01-02T15:04:05.000")
	return &stream{label: label, view: view, arn: *t.description.TableArn + "/stream/" + label}
}

func (s *stream) record(key, previous, next item) {
	event := streamtypes.OperationTypeModify
	switch {
	case previous == nil:
		event = streamtypes.OperationTypeInsert
	case next == nil:
		event = streamtypes.OperationTypeRemove
	}
	keys := map[string]streamtypes.AttributeValue{}
	size := int64(0)
	for name, v := range key {
		text := v.(*types.AttributeValueMemberS).Value // keys are strings
		keys[name] = &streamtypes.AttributeValueMemberS{Value: text}
		size += int64(len(name) + len(text))
	}
	number := fmt.Sprintf("%021d", len(s.records)+1)
	s.records = append(s.records, streamtypes.Record{
		AwsRegion: aws.String(
			"ddblocal",
		), EventID: &number, EventName: event, EventSource: aws.String("aws:dynamodb"), EventVersion: aws.String("1.1"),
		Dynamodb: &streamtypes.StreamRecord{
			ApproximateCreationDateTime: aws.Time(time.Now()), Keys: keys, SequenceNumber: &number, SizeBytes: &size,
			StreamViewType: streamtypes.StreamViewType(s.view),
		},
	})
}

func (s *Server) stream(arn *string) (*stream, error) {
	for _, t := range s.tables {
		if t.stream != nil && t.stream.arn == aws.ToString(arn) {
			return t.stream, nil
		}
	}
	return nil, &streamtypes.ResourceNotFoundException{
		Message: aws.String("Requested resource not found: " + aws.ToString(arn)),
	}
}

func (s *Server) describeStream(in *dynamodbstreams.DescribeStreamInput) (any, error) {
	st, err := s.stream(in.StreamArn)
	if err != nil {
		return nil, err
	}
	return &dynamodbstreams.DescribeStreamOutput{StreamDescription: &streamtypes.StreamDescription{
		StreamArn: &st.arn, StreamLabel: &st.label, StreamStatus: streamtypes.StreamStatusEnabled,
		StreamViewType: streamtypes.StreamViewType(st.view),
		Shards: []streamtypes.Shard{{
			ShardId: aws.String(
				shardID,
			), SequenceNumberRange: &streamtypes.SequenceNumberRange{StartingSequenceNumber: aws.String("1")},
		}},
	}}, nil
}

// shardIterator returns an iterator, which says which record comes next.
func (s *Server) shardIterator(in *dynamodbstreams.GetShardIteratorInput) (any, error) {
	st, err := s.stream(in.StreamArn)
	if err != nil {
		return nil, err
	}
	next := 0
	switch in.ShardIteratorType {
	case streamtypes.ShardIteratorTypeTrimHorizon:
	case streamtypes.ShardIteratorTypeLatest:
		next = len(st.records)
	default:
		number, err := strconv.Atoi(strings.TrimLeft(aws.ToString(in.SequenceNumber), "0"))
		if err != nil {
			return nil, invalid("%s is no sequence number", aws.ToString(in.SequenceNumber))
		}
		if next = number; in.ShardIteratorType == streamtypes.ShardIteratorTypeAtSequenceNumber {
			next--
		}
	}
	return &dynamodbstreams.GetShardIteratorOutput{ShardIterator: iterator(st, next)}, nil
}

func iterator(st *stream, next int) *string { return aws.String(st.arn + "|" + strconv.Itoa(next)) }

func (s *Server) streamRecords(in *dynamodbstreams.GetRecordsInput) (any, error) {
	arn, position, _ := strings.Cut(aws.ToString(in.ShardIterator), "|")
	st, err := s.stream(&arn)
	if err != nil {
		return nil, err
	}
	next, err := strconv.Atoi(position)
	if err != nil || next < 0 || next > len(st.records) {
		return nil, &streamtypes.ExpiredIteratorException{Message: aws.String("no such iterator")}
	}
	limit := 1000
	if in.Limit != nil {
		limit = int(*in.Limit)
	}
	until := min(len(st.records), next+limit)
	return &dynamodbstreams.GetRecordsOutput{Records: st.records[next:until], NextShardIterator: iterator(st, until)}, nil
}

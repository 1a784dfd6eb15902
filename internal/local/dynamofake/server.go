// Package dynamofake is DynamoDB in memory, for tests in which DynamoDB is not the point. It is asked by the SDK's
// client in the same process, or over HTTP in DynamoDB's own protocol, which built functions need. It knows what this
// product asks of DynamoDB, validates it as DynamoDB does, and refuses everything else by name.
//
// What it answers is held against DynamoDB Local by TestFakeAnswersAsDynamoDBLocal. It differs on purpose in three
// things: it never throttles, it never reports a transaction conflict, because each call runs by itself, and it deletes
// nothing by its time to live.
package dynamofake

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/smithy-go"
)

// item is a stored item. It is never changed in place: whoever has read one keeps it as it was.
type item = map[string]types.AttributeValue

// Server holds tables in memory. The zero value is ready for use.
type Server struct {
	mu     sync.RWMutex
	tables map[string]*table
}

// itemKey is the primary key of an item; both parts are strings.
type itemKey struct{ partition, sort string }

type table struct {
	name            string
	partition, sort string // names of the key attributes; sort is empty where the table has none
	partitions      map[string]*partition
	created         time.Time
	ttl             string // name of the attribute, empty for none
	stream          *stream
	description     *types.TableDescription
}

// partition holds the items of one partition key in the order of their sort keys.
type partition struct {
	sortKeys []string
	items    map[string]item
}

func (t *table) get(k itemKey) item {
	if p := t.partitions[k.partition]; p != nil {
		return p.items[k.sort]
	}
	return nil
}

// set stores an item, nil for none, and tells the table's stream.
func (t *table) set(k itemKey, next item) {
	p := t.partitions[k.partition]
	if p == nil {
		p = &partition{items: map[string]item{}}
		t.partitions[k.partition] = p
	}
	previous := p.items[k.sort]
	at, found := slices.BinarySearch(p.sortKeys, k.sort)
	switch {
	case next == nil && found:
		p.sortKeys = slices.Delete(p.sortKeys, at, at+1)
		delete(p.items, k.sort)
		if len(p.items) == 0 {
			delete(t.partitions, k.partition)
		}
	case next != nil:
		if !found {
			p.sortKeys = slices.Insert(p.sortKeys, at, k.sort)
		}
		p.items[k.sort] = next
	}
	unchanged := next == nil && !found || previous != nil && maps.EqualFunc(previous, next, equal)
	if t.stream != nil && !unchanged {
		t.stream.record(t.keyAttributes(k), previous, next)
	}
}

func (t *table) keyAttributes(k itemKey) item {
	key := item{t.partition: &types.AttributeValueMemberS{Value: k.partition}}
	if t.sort != "" {
		key[t.sort] = &types.AttributeValueMemberS{Value: k.sort}
	}
	return key
}

// keyOf reads the primary key from an item, or from a key that may have no other attribute.
func (t *table) keyOf(of item, exact bool) (itemKey, error) {
	names := []string{t.partition}
	if t.sort != "" {
		names = append(names, t.sort)
	}
	if exact && len(of) != len(names) {
		return itemKey{}, invalid("The provided key element does not match the schema")
	}
	var parts [2]string
	for i, name := range names {
		value, ok := of[name].(*types.AttributeValueMemberS)
		if !ok {
			return itemKey{}, invalid("The provided key element does not match the schema")
		}
		if value.Value == "" {
			return itemKey{}, invalid("One or more parameter values are not valid. The AttributeValue for a key attribute "+
				"cannot contain an empty string value. Key: %s", name)
		}
		limit := 2048
		if name == t.sort {
			limit = 1024
		}
		if len(value.Value) > limit {
			return itemKey{}, invalid(
				"One or more parameter values were invalid: Size of %s has exceeded the maximum size limit",
				name,
			)
		}
		parts[i] = value.Value
	}
	return itemKey{partition: parts[0], sort: parts[1]}, nil
}

// Handle answers the input of one operation, as the SDK has it.
func (s *Server) Handle(input any) (any, error) {
	switch input.(type) {
	case *dynamodb.GetItemInput, *dynamodb.BatchGetItemInput, *dynamodb.QueryInput, *dynamodb.ScanInput,
		*dynamodb.DescribeTableInput, *dynamodb.ListTablesInput, *dynamodb.DescribeTimeToLiveInput,
		*dynamodbstreams.DescribeStreamInput, *dynamodbstreams.GetShardIteratorInput, *dynamodbstreams.GetRecordsInput:
		s.mu.RLock()
		defer s.mu.RUnlock()
		return s.read(input)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.change(input)
}

func (s *Server) read(input any) (any, error) {
	switch in := input.(type) {
	case *dynamodb.GetItemInput:
		return s.getItem(in)
	case *dynamodb.BatchGetItemInput:
		return s.batchGetItem(in)
	case *dynamodb.QueryInput:
		return s.query(in)
	case *dynamodb.ScanInput:
		return s.scan(in)
	case *dynamodb.DescribeTableInput:
		t, err := s.table(in.TableName)
		if err != nil {
			return nil, err
		}
		return &dynamodb.DescribeTableOutput{Table: t.describe()}, nil
	case *dynamodb.ListTablesInput:
		return &dynamodb.ListTablesOutput{TableNames: slices.Sorted(maps.Keys(s.tables))}, nil
	case *dynamodb.DescribeTimeToLiveInput:
		return s.describeTimeToLive(in)
	case *dynamodbstreams.DescribeStreamInput:
		return s.describeStream(in)
	case *dynamodbstreams.GetShardIteratorInput:
		return s.shardIterator(in)
	case *dynamodbstreams.GetRecordsInput:
		return s.streamRecords(in)
	}
	return nil, unknown(input)
}

func (s *Server) change(input any) (any, error) {
	switch in := input.(type) {
	case *dynamodb.PutItemInput:
		return s.putItem(in)
	case *dynamodb.UpdateItemInput:
		return s.updateItem(in)
	case *dynamodb.DeleteItemInput:
		return s.deleteItem(in)
	case *dynamodb.BatchWriteItemInput:
		return s.batchWriteItem(in)
	case *dynamodb.TransactWriteItemsInput:
		return s.transactWriteItems(in)
	case *dynamodb.CreateTableInput:
		return s.createTable(in)
	case *dynamodb.DeleteTableInput:
		return s.deleteTable(in)
	case *dynamodb.UpdateTimeToLiveInput:
		return s.updateTimeToLive(in)
	}
	return nil, unknown(input)
}

func unknown(input any) error {
	return &smithy.GenericAPIError{
		Code:    "UnknownOperationException",
		Message: fmt.Sprintf("the fake does not know %T", input),
	}
}

func invalid(format string, args ...any) error {
	return &smithy.GenericAPIError{Code: "ValidationException", Message: fmt.Sprintf(format, args...)}
}

func (s *Server) table(name *string) (*table, error) {
	if t := s.tables[aws.ToString(name)]; t != nil {
		return t, nil
	}
	return nil, &types.ResourceNotFoundException{Message: aws.String("Cannot do operations on a non-existent table")}
}

func (s *Server) createTable(in *dynamodb.CreateTableInput) (any, error) {
	name := aws.ToString(in.TableName)
	if s.tables[name] != nil {
		return nil, &types.ResourceInUseException{Message: aws.String("Table already exists: " + name)}
	}
	if len(in.GlobalSecondaryIndexes) > 0 || len(in.LocalSecondaryIndexes) > 0 {
		return nil, invalid("the fake knows no indexes")
	}
	t := &table{name: name, partitions: map[string]*partition{}, created: time.Now()}
	attributeTypes := map[string]types.ScalarAttributeType{}
	for _, d := range in.AttributeDefinitions {
		attributeTypes[*d.AttributeName] = d.AttributeType
	}
	for _, k := range in.KeySchema {
		if attributeTypes[*k.AttributeName] != types.ScalarAttributeTypeS {
			return nil, invalid("the fake knows keys of strings only: %s", *k.AttributeName)
		}
		if k.KeyType == types.KeyTypeHash {
			t.partition = *k.AttributeName
		} else {
			t.sort = *k.AttributeName
		}
	}
	if t.partition == "" {
		return nil, invalid("no HASH key")
	}
	t.description = &types.TableDescription{
		TableName: &name, TableStatus: types.TableStatusActive, CreationDateTime: &t.created,
		KeySchema: in.KeySchema, AttributeDefinitions: in.AttributeDefinitions,
		TableArn: aws.String("arn:aws:dynamodb:ddblocal:000000000000:table/" + name),
	}
	if spec := in.StreamSpecification; spec != nil && aws.ToBool(spec.StreamEnabled) {
		t.stream = newStream(t, spec.StreamViewType)
		t.description.StreamSpecification = spec
		t.description.LatestStreamArn, t.description.LatestStreamLabel = &t.stream.arn, &t.stream.label
	}
	if s.tables == nil {
		s.tables = map[string]*table{}
	}
	s.tables[name] = t
	return &dynamodb.CreateTableOutput{TableDescription: t.describe()}, nil
}

func (t *table) describe() *types.TableDescription {
	out := *t.description
	var count int64
	for _, p := range t.partitions {
		count += int64(len(p.items))
	}
	out.ItemCount = &count
	return &out
}

func (s *Server) deleteTable(in *dynamodb.DeleteTableInput) (any, error) {
	t, err := s.table(in.TableName)
	if err != nil {
		return nil, err
	}
	delete(s.tables, t.name)
	out := t.describe()
	out.TableStatus = types.TableStatusDeleting
	return &dynamodb.DeleteTableOutput{TableDescription: out}, nil
}

func (s *Server) updateTimeToLive(in *dynamodb.UpdateTimeToLiveInput) (any, error) {
	t, err := s.table(in.TableName)
	if err != nil {
		return nil, err
	}
	spec := in.TimeToLiveSpecification
	if enabled := aws.ToBool(spec.Enabled); enabled == (t.ttl != "") {
		return nil, invalid("TimeToLive is already %s", map[bool]string{true: "enabled", false: "disabled"}[enabled])
	}
	t.ttl = ""
	if aws.ToBool(spec.Enabled) {
		t.ttl = *spec.AttributeName
	}
	return &dynamodb.UpdateTimeToLiveOutput{TimeToLiveSpecification: spec}, nil
}

func (s *Server) describeTimeToLive(in *dynamodb.DescribeTimeToLiveInput) (any, error) {
	t, err := s.table(in.TableName)
	if err != nil {
		return nil, err
	}
	out := &types.TimeToLiveDescription{TimeToLiveStatus: types.TimeToLiveStatusDisabled}
	if t.ttl != "" {
		out.TimeToLiveStatus, out.AttributeName = types.TimeToLiveStatusEnabled, &t.ttl
	}
	return &dynamodb.DescribeTimeToLiveOutput{TimeToLiveDescription: out}, nil
}

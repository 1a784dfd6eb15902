// Package provision makes the resources of a template on the local services: what CloudFormation does in the cloud. All
// of it can be repeated; what exists already is brought to what the template says.
package provision

import (
	"context"
	"fmt"
	"strings"

	"useraccounts/internal/local/services"
	"useraccounts/internal/samtemplate"
	"useraccounts/internal/seal"
)

const account = "000000000000"

// Stack makes resources under one name, on one set of services.
type Stack struct {
	Name      string // AWS::StackName; the prefix of every resource's name
	Endpoints services.Endpoints
	Template  *samtemplate.Template
	// KeyFile takes the place of the template's KMS keys; it is made if it is not there.
	KeyFile string
	// Tables and Buckets are names of those that another stack made and removes, by logical id.
	Tables, Buckets map[string]string
}

// Resources are what was made, by logical id.
type Resources struct {
	Tables  map[string]string // names
	Buckets map[string]string // names
	Queues  map[string]string // URLs
	Values  samtemplate.Values
}

// Create makes every table, bucket and queue of the template.
func (s Stack) Create(ctx context.Context) (Resources, error) {
	r := Resources{Tables: map[string]string{}, Buckets: map[string]string{}, Queues: map[string]string{},
		Values: s.values()}
	for _, t := range s.Template.Tables {
		name, err := s.nameOr(s.Tables[t.LogicalID], t.Name, t.LogicalID)
		if err != nil {
			return r, err
		}
		if err := CreateTable(ctx, s.Endpoints.DynamoDBClient(), t, name); err != nil {
			return r, err
		}
		r.Tables[t.LogicalID], r.Values.Refs[t.LogicalID] = name, name
		r.Values.Attributes[t.LogicalID+".Arn"] = s.arn("dynamodb", "table/"+name)
		if t.StreamConsumed {
			if r.Values.Attributes[t.LogicalID+".StreamArn"],
				err = streamARN(ctx, s.Endpoints.DynamoDBClient(), name); err != nil {
				return r, err
			}
		}
	}
	for _, b := range s.Template.Buckets {
		name, err := s.nameOr(s.Buckets[b.LogicalID], b.Name, b.LogicalID)
		if err != nil {
			return r, err
		}
		if err := CreateBucket(ctx, s.Endpoints, b, name); err != nil {
			return r, err
		}
		r.Buckets[b.LogicalID], r.Values.Refs[b.LogicalID] = name, name
		r.Values.Attributes[b.LogicalID+".Arn"] = "arn:aws:s3:::" + name
	}
	for _, id := range s.Template.SealingKeys {
		name, err := seal.CreateKeyFile(s.KeyFile)
		if err != nil {
			return r, err
		}
		r.Values.Refs[id], r.Values.Attributes[id+".Arn"] = name, name
	}
	return r, s.createQueues(ctx, r)
}

// createQueues makes dead-letter queues first, because a queue names its own by the ARN.
func (s Stack) createQueues(ctx context.Context, r Resources) error {
	client := s.Endpoints.SQSClient()
	waiting := s.Template.Queues
	for len(waiting) > 0 {
		var later []samtemplate.Queue
		for _, q := range waiting {
			deadLetters := ""
			if q.DeadLetterQueue != "" {
				if deadLetters = r.Values.Attributes[q.DeadLetterQueue+".Arn"]; deadLetters == "" {
					later = append(later, q)
					continue
				}
			}
			name, err := s.name(q.Name, q.LogicalID)
			if err != nil {
				return err
			}
			made, err := CreateQueue(ctx, client, q, fifoName(q, name), deadLetters)
			if err != nil {
				return err
			}
			r.Queues[q.LogicalID], r.Values.Refs[q.LogicalID] = made.URL, made.URL
			r.Values.Attributes[q.LogicalID+".Arn"] = made.ARN
			r.Values.Attributes[q.LogicalID+".QueueName"] = fifoName(q, name)
		}
		if len(later) == len(waiting) {
			return fmt.Errorf("the dead-letter queues of the template go round in a circle at %s", later[0].LogicalID)
		}
		waiting = later
	}
	return nil
}

// Remove deletes what Create made.
func (s Stack) Remove(ctx context.Context, r Resources) error {
	for id, name := range r.Tables {
		if s.Tables[id] != "" {
			continue
		}
		if err := DeleteTable(ctx, s.Endpoints.DynamoDBClient(), name); err != nil {
			return err
		}
	}
	for id, name := range r.Buckets {
		if s.Buckets[id] != "" {
			continue
		}
		if err := DeleteBucket(ctx, s.Endpoints.S3Client(), name); err != nil {
			return err
		}
	}
	for _, url := range r.Queues {
		if err := DeleteQueue(ctx, s.Endpoints.SQSClient(), url); err != nil {
			return err
		}
	}
	return nil
}

func (s Stack) values() samtemplate.Values {
	parameters := map[string]string{
		"AWS::StackName": s.Name, "AWS::Region": s.Endpoints.Region, "AWS::AccountId": account,
		"AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com",
	}
	for name, value := range s.Template.Parameters {
		parameters[name] = value
	}
	return samtemplate.Values{Parameters: parameters, Refs: map[string]string{}, Attributes: map[string]string{}}
}

// nameOr is the name given, or the resource's.
func (s Stack) nameOr(given string, own samtemplate.Value, logicalID string) (string, error) {
	if given != "" {
		return given, nil
	}
	return s.name(own, logicalID)
}

// name is the resource's own name, or one made of the stack's and the logical id as CloudFormation would.
func (s Stack) name(given samtemplate.Value, logicalID string) (string, error) {
	name, err := given.Resolve(s.values())
	if err != nil || name != "" {
		return name, err
	}
	return strings.ToLower(s.Name + "-" + logicalID), nil
}

func fifoName(q samtemplate.Queue, name string) string {
	if q.FIFO && !strings.HasSuffix(name, ".fifo") {
		return name + ".fifo"
	}
	return name
}

func (s Stack) arn(service, resource string) string {
	return "arn:aws:" + service + ":" + s.Endpoints.Region + ":" + account + ":" + resource
}

package samtemplate

import (
	"time"
)

func readTable(id string, p node) (Table, error) {
	t := Table{LogicalID: id}
	// The last line is skipped: DynamoDB Local has no backups, no encryption and no protection.
	if err := p.only("TableName", "BillingMode", "AttributeDefinitions", "KeySchema", "StreamSpecification",
		"TimeToLiveSpecification",
		"PointInTimeRecoverySpecification", "DeletionProtectionEnabled", "SSESpecification", "Tags"); err != nil {
		return t, err
	}
	if mode, err := p.child("BillingMode").required(); err != nil {
		return t, err
	} else if mode != "PAY_PER_REQUEST" {
		return t, p.child("BillingMode").errorf("%s is not supported", mode)
	}
	var err error
	if t.Name, err = optionalName(p.child("TableName")); err != nil {
		return t, err
	}
	if err := t.readKeys(p); err != nil {
		return t, err
	}
	if err := p.child("StreamSpecification").only("StreamViewType"); err != nil {
		return t, err
	}
	if t.StreamView, err = p.child("StreamSpecification").child("StreamViewType").text(); err != nil {
		return t, err
	}
	ttl := p.child("TimeToLiveSpecification")
	if err := ttl.only("AttributeName", "Enabled"); err != nil {
		return t, err
	}
	if on, err := ttl.child("Enabled").flag(); err != nil || !on {
		return t, err
	}
	t.TTL, err = ttl.child("AttributeName").required()
	return t, err
}

func (t *Table) readKeys(p node) error {
	definitions, err := p.child("AttributeDefinitions").items()
	if err != nil {
		return err
	}
	types := map[string]string{}
	for _, d := range definitions {
		name, err := d.child("AttributeName").required()
		if err != nil {
			return err
		}
		if types[name], err = d.child("AttributeType").required(); err != nil {
			return err
		}
	}
	schema, err := p.child("KeySchema").items()
	if err != nil {
		return err
	}
	for _, s := range schema {
		name, err := s.child("AttributeName").required()
		if err != nil {
			return err
		}
		key := Key{Name: name, Type: types[name]}
		if key.Type == "" {
			return s.errorf("%s is not among the AttributeDefinitions", name)
		}
		delete(types, name)
		switch kind, _ := s.child("KeyType").text(); kind {
		case "HASH":
			t.Partition = key
		case "RANGE":
			t.Sort = &key
		default:
			return s.child("KeyType").errorf("want HASH or RANGE")
		}
	}
	if t.Partition.Name == "" {
		return p.child("KeySchema").errorf("no HASH key")
	}
	for name := range types {
		return p.child("AttributeDefinitions").errorf("%s is part of no key", name)
	}
	return nil
}

func readQueue(id string, p node) (Queue, error) {
	q := Queue{LogicalID: id}
	if err := p.only("QueueName", "FifoQueue", "ContentBasedDeduplication", "VisibilityTimeout", "MessageRetentionPeriod",
		"DelaySeconds", "ReceiveMessageWaitTimeSeconds", "DeduplicationScope", "FifoThroughputLimit", "RedrivePolicy",
		"RedriveAllowPolicy", "SqsManagedSseEnabled", "KmsMasterKeyId", "Tags"); err != nil {
		return q, err
	}
	var err error
	if q.Name, err = optionalName(p.child("QueueName")); err != nil {
		return q, err
	}
	if q.FIFO, err = p.child("FifoQueue").flag(); err != nil {
		return q, err
	}
	if q.ContentDedup, err = p.child("ContentBasedDeduplication").flag(); err != nil {
		return q, err
	}
	for _, duration := range []struct {
		key       string
		otherwise int
		into      *time.Duration
	}{
		{"VisibilityTimeout", 30, &q.VisibilityTimeout},
		{"MessageRetentionPeriod", 345600, &q.Retention},
		{"DelaySeconds", 0, &q.Delay},
		{"ReceiveMessageWaitTimeSeconds", 0, &q.ReceiveWait},
	} {
		seconds, err := p.child(duration.key).number(duration.otherwise)
		if err != nil {
			return q, err
		}
		*duration.into = time.Duration(seconds) * time.Second
	}
	if q.DeduplicationScope, err = p.child("DeduplicationScope").text(); err != nil {
		return q, err
	}
	if q.FIFOThroughputLimit, err = p.child("FifoThroughputLimit").text(); err != nil {
		return q, err
	}
	return q, q.readRedrive(p.child("RedrivePolicy"))
}

func (q *Queue) readRedrive(p node) error {
	if !p.exists() {
		return nil
	}
	if err := p.only("deadLetterTargetArn", "maxReceiveCount"); err != nil {
		return err
	}
	target, err := p.child("deadLetterTargetArn").value()
	if err != nil {
		return err
	}
	var ok bool
	if q.DeadLetterQueue, ok = target.RefersTo(); !ok {
		return p.child("deadLetterTargetArn").errorf("want !GetAtt of a queue of this template")
	}
	if q.MaxReceiveCount, err = p.child("maxReceiveCount").number(0); err != nil {
		return err
	}
	if q.MaxReceiveCount < 1 {
		return p.child("maxReceiveCount").errorf("want 1 or more")
	}
	return nil
}

func readBucket(id string, p node) (Bucket, error) {
	b := Bucket{LogicalID: id}
	// The last two lines are skipped: the local store has neither encryption nor lifecycle, and is reached from here only.
	if err := p.only("BucketName", "VersioningConfiguration", "CorsConfiguration",
		"BucketEncryption", "OwnershipControls", "PublicAccessBlockConfiguration", "LifecycleConfiguration",
		"LoggingConfiguration",
		"Tags"); err != nil {
		return b, err
	}
	var err error
	if b.Name, err = optionalName(p.child("BucketName")); err != nil {
		return b, err
	}
	status, err := p.child("VersioningConfiguration").child("Status").text()
	if err != nil {
		return b, err
	}
	b.Versioned = status == "Enabled"
	b.CORSRules, err = readOrigins(p.child("CorsConfiguration"))
	return b, err
}

func readOrigins(p node) ([]CORSRule, error) {
	if err := p.only("CorsRules"); err != nil {
		return nil, err
	}
	entries, err := p.child("CorsRules").items()
	if err != nil {
		return nil, err
	}
	var rules []CORSRule
	for _, entry := range entries {
		rule, err := readOriginRule(entry)
		if err != nil {
			return nil, err
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

func readOriginRule(p node) (CORSRule, error) {
	var rule CORSRule
	if err := p.only("AllowedOrigins", "AllowedMethods", "MaxAge"); err != nil {
		return rule, err
	}
	origins, err := p.child("AllowedOrigins").items()
	if err != nil {
		return rule, err
	}
	for _, origin := range origins {
		value, err := origin.value()
		if err != nil {
			return rule, err
		}
		rule.Origins = append(rule.Origins, value)
	}
	methods, err := p.child("AllowedMethods").items()
	if err != nil {
		return rule, err
	}
	for _, method := range methods {
		name, err := method.required()
		if err != nil {
			return rule, err
		}
		rule.Methods = append(rule.Methods, name)
	}
	rule.MaxAge, err = p.child("MaxAge").number(0)
	return rule, err
}

func optionalName(n node) (Value, error) {
	if !n.exists() {
		return Value{path: n.path}, nil
	}
	return n.value()
}

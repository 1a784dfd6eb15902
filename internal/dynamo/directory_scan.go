package dynamo

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"useraccounts/internal/account"
	"useraccounts/internal/directory"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/environment"
	"useraccounts/internal/field"
)

var _ directory.Store = Accounts{}

// scanPageSize is how many rows one read of a scan takes: few enough that the two reads end at about the same time,
// and that what is decoded at once stays small.
const scanPageSize = 600

// Scan implements directory.Store. A directory is one partition, whose pages can only be read one after another. So
// it is read from both ends at once until the reads meet: they share the work evenly, whatever the usernames are.
func (s Accounts) Scan(
	ctx context.Context, env environment.Environment, after string, fields []string, visit func([]directory.Row),
) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	scan := &directoryScan{Table: s.Table, env: env, unread: unreadRange{low: after}, projection: projectionOf(fields)}
	var (
		wg     sync.WaitGroup
		failed [2]error
	)
	for i, backwards := range []bool{false, true} {
		wg.Go(func() {
			if failed[i] = scan.read(ctx, backwards, visit); failed[i] != nil {
				cancel()
			}
		})
	}
	wg.Wait()
	if errors.Is(failed[0], context.Canceled) { // because the other read failed
		return failed[1]
	}
	return failed[0]
}

// directoryScan is one scan in progress.
type directoryScan struct {
	*table.Table
	projection
	env    environment.Environment
	unread unreadRange
}

// unreadRange is what neither read has reached yet: the sort keys between low and high. An empty high is the end of
// the directory.
type unreadRange struct {
	mu        sync.Mutex
	low, high string
	closed    bool
}

func (g *unreadRange) bounds() (low, high string, closed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.low, g.high, g.closed
}

// advance moves one end of the range past a page, which ended at a sort key, or at the end of the directory if that
// is empty. It returns the items that the other read has not taken meanwhile.
func (g *unreadRange) advance(items []table.Item, backwards bool, end string) []table.Item {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil
	}
	taken := func(it table.Item) bool {
		sk := table.String(it, "SK")
		return sk <= g.low || g.high != "" && sk >= g.high
	}
	i := slices.IndexFunc(items, taken)
	if i >= 0 {
		items = items[:i]
	}
	if g.closed = i >= 0 || end == ""; backwards {
		g.high = end
	} else {
		g.low = end
	}
	return items
}

// read reads from one end until it meets the other.
func (d *directoryScan) read(ctx context.Context, backwards bool, visit func([]directory.Row)) error {
	rows := make([]directory.Row, 0, scanPageSize)
	for {
		low, high, closed := d.unread.bounds()
		if closed {
			return nil
		}
		out, err := d.Client.Query(ctx, d.query(low, high, backwards))
		if err != nil {
			return table.WrapError("read", err)
		}
		rows = rows[:0]
		for _, it := range d.unread.advance(out.Items, backwards, table.String(out.LastEvaluatedKey, "SK")) {
			if a, ok := d.account(it, schema.VisibleAt(d.env.Imports, it)); ok {
				rows = append(rows, directory.Row{Key: table.String(it, "SK"), Account: a})
			}
		}
		if len(rows) > 0 {
			visit(rows)
		}
	}
}

func (d *directoryScan) query(low, high string, backwards bool) *dynamodb.QueryInput {
	in := &dynamodb.QueryInput{
		TableName: &d.Name, ConsistentRead: aws.Bool(true), ScanIndexForward: aws.Bool(!backwards),
		Limit:                     aws.Int32(scanPageSize),
		KeyConditionExpression:    aws.String("PK = :pk"),
		ExpressionAttributeValues: table.Item{":pk": table.S(schema.DirectoryPK(d.env.ID))},
		ProjectionExpression:      &d.paths, ExpressionAttributeNames: d.names,
	}
	// A query has one condition on the sort key. What is beyond the other bound is cut off afterwards.
	if start := map[bool]string{false: low, true: high}[backwards]; start != "" {
		in.ExclusiveStartKey = table.NewKey(schema.DirectoryPK(d.env.ID), start).Attributes()
	}
	if end := map[bool]string{false: high, true: low}[backwards]; end != "" {
		in.KeyConditionExpression = aws.String("PK = :pk AND SK " + map[bool]string{false: "<", true: ">"}[backwards] +
			" :end")
		in.ExpressionAttributeValues[":end"] = table.S(end)
	}
	return in
}

// projection is the part of directory rows that a scan reads.
type projection struct {
	fields field.Table[account.Account]
	paths  string
	names  map[string]string
}

// blockFields are the fields in which a block by failed tries shows (account.ForDisplay).
var blockFields = []string{"accessLocked", "lockedAt", "lockedReason", "lockedBy", "status"}

// projectionOf returns the projection for the named fields of accounts as people see them.
func projectionOf(fields []string) projection {
	p := projection{names: map[string]string{"#v": schema.AttrImage, "#was": schema.AttrPrevious}}
	paths := []string{"SK", schema.AttrID, schema.AttrImportID, schema.AttrTombstone, "#v.version", "#was.version",
		schema.AttrPreviousImportID,
		schema.AttrOldest + ".version"}
	wanted := slices.Clone(fields)
	if slices.ContainsFunc(fields, func(name string) bool { return slices.Contains(blockFields, name) }) {
		wanted = append(wanted, blockFields[0])
		paths = append(paths, schema.AttrBlockedAt)
	}
	if slices.Contains(fields, "status") {
		wanted = append(append(wanted, account.StatusFields()...), "lockedAt", "lockedReason", "createdAt")
		paths = append(paths, "#v."+schema.AttrBlockKind, "#was."+schema.AttrBlockKind,
			schema.AttrOldest+"."+schema.AttrBlockKind)
	}
	slices.Sort(wanted)
	for i, name := range slices.Compact(wanted) {
		d := account.Fields().Find(name)
		switch {
		case d == nil || name == "status":
		case d.Live:
			paths = append(paths, liveAttributes[name])
		default:
			p.fields = append(p.fields, *d)
			n := "#f" + strconv.Itoa(i)
			p.names[n] = name
			paths = append(paths, "#v."+n, "#was."+n, schema.AttrOldest+"."+n)
		}
	}
	p.paths = strings.Join(paths, ", ")
	return p
}

// liveAttributes are the attributes of the fields that are not in an image.
var liveAttributes = map[string]string{"lastLogin": schema.AttrLastLogin, "failedTries": schema.AttrTries,
	"signOn": schema.AttrProviders}

// account reads the projected part of an account, in one generation of its image.
func (p projection) account(it table.Item, is schema.Generation) (account.Account, bool) {
	image := schema.ImageOf(it, is)
	if image == nil {
		return account.Account{}, false
	}
	a := account.Account{
		ID: table.String(it, schema.AttrID), Version: table.Int(image, "version"),
		FailedTries:    table.Int(it, schema.AttrTries),
		TriesBlockedAt: table.Time(it, schema.AttrBlockedAt), LastLogin: table.Time(it, schema.AttrLastLogin),
		LinkedProviders: table.StringSet(it, schema.AttrProviders),
	}
	p.fields.SetImage(&a, table.ToPlain(image))
	a.BlockKind = schema.BlockKindOf(image, a)
	return a, true
}

// ByKeys implements directory.Store.
func (s Accounts) ByKeys(ctx context.Context, env environment.Environment, keys []string) ([]account.Account, error) {
	rows := make([]table.Key, len(keys))
	for i, k := range keys {
		rows[i] = schema.RowKey(env.ID, k)
	}
	items, err := s.BatchGet(ctx, rows)
	if err != nil {
		return nil, err
	}
	out := make([]account.Account, 0, len(items))
	for _, it := range items {
		if it == nil {
			continue
		}
		if a, ok := schema.AccountOf(it, schema.VisibleAt(env.Imports, it)); ok {
			out = append(out, a)
		}
	}
	return out, nil
}

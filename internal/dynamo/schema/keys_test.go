package schema

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"useraccounts/internal/catalogue"
	"useraccounts/internal/dynamo/table"
)

// What is stored is found by these texts alone, so a change of one loses data: each is pinned as a literal.
func TestTheTablesKeys(t *testing.T) {
	const ulid = "01JZ0000000000000000000001"
	pinned := map[string]struct {
		made table.Key
		want [2]string
	}{
		"HeadKey":              {HeadKey("main"), [2]string{"E#main", "HEAD"}},
		"CataloguePK":          {table.Key{PK: CataloguePK("main")}, [2]string{"C#main", ""}},
		"AssignmentCounterKey": {AssignmentCounterKey("main", 3), [2]string{"E#main", "CODES#3"}},
		"EnvironmentLogPK":     {table.Key{PK: EnvironmentLogPK("main")}, [2]string{"G#main", ""}},
		"EnvironmentLogKey":    {EnvironmentLogKey("main", "E1"), [2]string{"G#main", "E#E1"}},
		"EntryKey":             {EntryKey("main", catalogue.Role, "ＡDMIN"), [2]string{"C#main", "role#admin"}},
		"SeatAttribute":        {table.Key{SK: SeatAttribute("full")}, [2]string{"", "seat:full"}},
		"DirectoryPK":          {table.Key{PK: DirectoryPK("main")}, [2]string{"D#main", ""}},
		"RowKey":               {RowKey("main", "doej"), [2]string{"D#main", "doej"}},
		"LoginKey":             {LoginKey("main", "john@example.com"), [2]string{"L#main#john@example.com", "K"}},
		"AccountPK":            {table.Key{PK: AccountPK(ulid)}, [2]string{"U#01JZ0000000000000000000001", ""}},
		"AnchorKey":            {AnchorKey(ulid), [2]string{"U#01JZ0000000000000000000001", "A"}},
		"SessionKey":           {SessionKey(ulid, "S1"), [2]string{"U#01JZ0000000000000000000001", "S#S1"}},
		"TicketKey":            {TicketKey(ulid, "T1"), [2]string{"U#01JZ0000000000000000000001", "T#T1"}},
		"FactorKey":            {FactorKey(ulid), [2]string{"U#01JZ0000000000000000000001", "M#TOTP"}},
		"PendingTOTPKey":       {PendingTOTPKey(ulid), [2]string{"U#01JZ0000000000000000000001", "M#PENDING"}},
		"PendingPasskeyKey":    {PendingPasskeyKey(ulid), [2]string{"U#01JZ0000000000000000000001", "M#ASKED"}},
		"MailCodeKey":          {MailCodeKey(ulid), [2]string{"U#01JZ0000000000000000000001", "M#MAIL"}},
		"PasskeyChallengeKey":  {PasskeyChallengeKey("prod", []byte{1, 0xff}), [2]string{"H#prod#01ff", "K"}},
		"RecoveryCodesKey":     {RecoveryCodesKey(ulid), [2]string{"U#01JZ0000000000000000000001", "M#CODES"}},
		"TrustedDeviceKey":     {TrustedDeviceKey(ulid, "D1"), [2]string{"U#01JZ0000000000000000000001", "D#D1"}},
		"APIKeyKey":            {APIKeyKey(ulid, "P1"), [2]string{"U#01JZ0000000000000000000001", "P#P1"}},
		"APIKeyCountKey":       {APIKeyCountKey(ulid), [2]string{"U#01JZ0000000000000000000001", "P"}},
		"ContactKey":           {ContactKey(ulid), [2]string{"U#01JZ0000000000000000000001", "C"}},
		"DelegationKey":        {DelegationKey(ulid, "G1"), [2]string{"U#01JZ0000000000000000000001", "G#G1"}},
		"DelegationTargetPK":   {table.Key{PK: DelegationTargetPK("main")}, [2]string{"V#main", ""}},
		"DelegationTargetKey": {DelegationTargetKey("main", "resourceGroup", "Staff", ulid),
			[2]string{"V#main", "resourceGroup#staff#01JZ0000000000000000000001"}},
		"EventKey":          {EventKey(ulid, "E1"), [2]string{"U#01JZ0000000000000000000001", "E#E1"}},
		"ResourcePK":        {table.Key{PK: ResourcePK("main")}, [2]string{"R#main", ""}},
		"ResourceKey":       {ResourceKey("main", "jd"), [2]string{"R#main", "jd"}},
		"ResourceNumberKey": {ResourceNumberKey("main"), [2]string{"E#main", "RESOURCES"}},
		"OwnSetsPK":         {table.Key{PK: OwnSetsPK("main", ulid)}, [2]string{"Q#main#01JZ0000000000000000000001", ""}},
		"SharedSetsPK":      {table.Key{PK: SharedSetsPK("main")}, [2]string{"Q#main", ""}},
		"SetKey":            {SetKey(SharedSetsPK("main"), ulid), [2]string{"Q#main", "01JZ0000000000000000000001"}},
		"SetsHeadKey":       {SetsHeadKey(SharedSetsPK("main")), [2]string{"Q#main", "HEAD"}},
		"JobPK":             {table.Key{PK: JobPK("main")}, [2]string{"J#main", ""}},
		"JobKey":            {JobKey("main", "J1"), [2]string{"J#main", "J1"}},
		"OwnJobsPK":         {table.Key{PK: OwnJobsPK("main", ulid)}, [2]string{"J#main#BY#01JZ0000000000000000000001", ""}},
		"OwnJobKey":         {OwnJobKey("main", ulid, "J1"), [2]string{"J#main#BY#01JZ0000000000000000000001", "J1"}},
		"OwnJobsReadyKey":   {OwnJobsReadyKey("main"), [2]string{"J#main#BY", "READY"}},
		"JobQueuePK":        {table.Key{PK: JobQueuePK("main")}, [2]string{"J#main#LINE", ""}},
		"JobQueueKey": {JobQueueKey("main", "20260105T090000.000Z", "J1"),
			[2]string{"J#main#LINE", "20260105T090000.000Z#J1"}},
		"DecoyKey":      {DecoyKey("main", 7), [2]string{"X#main", "07"}},
		"DecoyEventKey": {DecoyEventKey("main", 7), [2]string{"X#main", "E#07"}},
		"RequestCountKey": {RequestCountKey("main", "2001:db8::/64", "2026-01-05T09:00:00.000Z"),
			[2]string{"B#main#2001:db8::/64", "2026-01-05T09:00:00.000Z"}},
		"PasswordHistoryKey":   {PasswordHistoryKey(ulid), [2]string{"U#01JZ0000000000000000000001", "H"}},
		"PasswordLinkKey":      {PasswordLinkKey(ulid), [2]string{"K#01JZ0000000000000000000001", "L"}},
		"PasswordLinkDecoyKey": {PasswordLinkDecoyKey("main", "L1"), [2]string{"X#main", "L#L1"}},
		"ResetRequestsKey": {ResetRequestsKey("main", "192.0.2.1", "2026070112"),
			[2]string{"F#main#192.0.2.1", "2026070112"}},
		"SigningKeysKey": {SigningKeysKey("main"), [2]string{"E#main", "SIGNING"}},
		"OverviewKey":    {OverviewKey("main"), [2]string{"E#main", "OVERVIEW"}},
		"DailyCountPK":   {table.Key{PK: DailyCountPK("main", 3)}, [2]string{"T#main#3", ""}},
		"DailyCountKey":  {DailyCountKey("main", 3, "2026-11-23"), [2]string{"T#main#3", "2026-11-23"}},
		"KeyExpiryPK":    {table.Key{PK: KeyExpiryPK("main")}, [2]string{"N#main", ""}},
		"KeyExpiryKey": {KeyExpiryKey("main", "2026-07-01", ulid, "K1"),
			[2]string{"N#main", "2026-07-01#01JZ0000000000000000000001#K1"}},
		"QueuedMailPK":       {table.Key{PK: QueuedMailPK("main")}, [2]string{"W#main", ""}},
		"QueuedMailKey":      {QueuedMailKey("main", "M1"), [2]string{"W#main", "M1"}},
		"MailLogPK":          {table.Key{PK: MailLogPK("main")}, [2]string{"M#main", ""}},
		"MailLogKey":         {MailLogKey("main", "M1"), [2]string{"M#main", "M1"}},
		"ProviderPK":         {table.Key{PK: ProviderPK("main")}, [2]string{"O#main", ""}},
		"ProviderKey":        {ProviderKey("main", ulid), [2]string{"O#main", "01JZ0000000000000000000001"}},
		"IdentityPK":         {table.Key{PK: IdentityPK("main", "P1")}, [2]string{"Y#main#P1", ""}},
		"IdentityKey":        {IdentityKey("main", "P1", "o#1"), [2]string{"Y#main#P1", "o#1"}},
		"AccountIdentityKey": {AccountIdentityKey(ulid, "P1"), [2]string{"U#01JZ0000000000000000000001", "O#P1"}},
		"AuthRequestKey":     {AuthRequestKey("main", []byte{1, 255}), [2]string{"Z#main#01ff", "K"}},
		"IdempotencyKey":     {IdempotencyKey("d1"), [2]string{"I#d1", "K"}},
	}
	for name, p := range pinned {
		if p.made != (table.NewKey(p.want[0], p.want[1])) {
			t.Errorf("%s makes %q, want %q", name, p.made, p.want)
		}
	}
	for _, name := range keyFunctions(t) {
		if _, ok := pinned[name]; !ok {
			t.Errorf("%s of keys.go is not pinned here", name)
		}
	}
}

// The stream of the outbox names items by their keys; only those that wait are of interest.
func TestTheKeyOfAQueuedMailIsRead(t *testing.T) {
	if env, id, ok := ParseQueuedMail("W#main", "M1"); env != "main" || id != "M1" || !ok {
		t.Errorf("%q %q %v", env, id, ok)
	}
	for _, other := range [][2]string{{"M#main", "M1"}, {"W#main", ""}, {"W", "M1"}, {"", ""}} {
		if _, _, ok := ParseQueuedMail(other[0], other[1]); ok {
			t.Errorf("%q is the key of a mail that waits", other)
		}
	}
}

// keyFunctions returns the names of the functions in keys.go that make a key or a partition's.
func keyFunctions(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "keys.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil &&
			(strings.HasSuffix(f.Name.Name, "Key") || strings.HasSuffix(f.Name.Name, "PK")) {
			out = append(out, f.Name.Name)
		}
	}
	return out
}

// Two different things never have one key: kinds of item are told by the first letter, and within U# by the sort key's.
func TestDifferentThingsHaveDifferentKeys(t *testing.T) {
	seen := map[table.Key]string{}
	for name, k := range map[string]table.Key{
		"head": HeadKey("x"), "entry": EntryKey("x", catalogue.Role, "x"),
		"another kind's entry": EntryKey("x", catalogue.Group, "x"),
		"row":                  RowKey("x", "x"), "login": LoginKey("x", "x"), "anchor": AnchorKey("x"),
		"session": SessionKey("x", "x"),
		"ticket":  TicketKey("x", "x"), "factor": FactorKey("x"), "pending": PendingTOTPKey("x"),
		"asked for a passkey": PendingPasskeyKey("x"), "mail code": MailCodeKey("x"),
		"challenge": PasskeyChallengeKey("x", []byte("x")), "recovery": RecoveryCodesKey("x"),
		"device": TrustedDeviceKey("x", "x"), "event": EventKey("x", "x"), "job": JobKey("x", "x"),
		"line": JobQueueKey("x", "x", "x"), "resource": ResourceKey("x", "x"), "resource number": ResourceNumberKey("x"),
		"decoy": DecoyKey("x", 1), "decoy's event": DecoyEventKey("x", 1), "arrivals": RequestCountKey("x", "x", "x"),
		"former": PasswordHistoryKey("x"), "link": PasswordLinkKey("x"), "link decoy": PasswordLinkDecoyKey("x", "x"),
		"asked": ResetRequestsKey("x", "x", "x"), "overview": OverviewKey("x"), "day": DailyCountKey("x", 1, "x"),
		"key expiry": KeyExpiryKey("x", "x", "x", "x"), "waiting": QueuedMailKey("x", "x"), "mailed": MailLogKey("x", "x"),
		"idempotency": IdempotencyKey("x"),
		"provider":    ProviderKey("x", "x"), "identity": IdentityKey("x", "x", "x"), "sign-on": AccountIdentityKey("x", "x"),
		"attempt": AuthRequestKey("x", nil),
	} {
		if other, taken := seen[k]; taken {
			t.Errorf("%s and %s have the key %v", name, other, k)
		}
		seen[k] = name
	}
}

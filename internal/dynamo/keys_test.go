package dynamo

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"useraccounts/internal/catalogue"
)

// What is stored is found by these texts alone, so a change of one loses data: each is pinned as a literal.
func TestTheTablesKeys(t *testing.T) {
	const ulid = "01JZ0000000000000000000001"
	pinned := map[string]struct {
		made key
		want [2]string
	}{
		"headKey":           {headKey("main"), [2]string{"E#main", "HEAD"}},
		"cataloguePK":       {key{pk: cataloguePK("main")}, [2]string{"C#main", ""}},
		"assignmentKey":     {assignmentCounterKey("main", 3), [2]string{"E#main", "CODES#3"}},
		"logPK":             {key{pk: environmentLogPK("main")}, [2]string{"G#main", ""}},
		"logKey":            {environmentLogKey("main", "E1"), [2]string{"G#main", "E#E1"}},
		"entryKey":          {entryKey("main", catalogue.Role, "ＡDMIN"), [2]string{"C#main", "role#admin"}},
		"seatAttribute":     {key{sk: seatAttribute("full")}, [2]string{"", "seat:full"}},
		"directoryPK":       {key{pk: directoryPK("main")}, [2]string{"D#main", ""}},
		"rowKey":            {rowKey("main", "doej"), [2]string{"D#main", "doej"}},
		"loginKey":          {loginKey("main", "john@example.com"), [2]string{"L#main#john@example.com", "K"}},
		"accountPK":         {key{pk: accountPK(ulid)}, [2]string{"U#01JZ0000000000000000000001", ""}},
		"anchorKey":         {anchorKey(ulid), [2]string{"U#01JZ0000000000000000000001", "A"}},
		"sessionKey":        {sessionKey(ulid, "S1"), [2]string{"U#01JZ0000000000000000000001", "S#S1"}},
		"ticketKey":         {ticketKey(ulid, "T1"), [2]string{"U#01JZ0000000000000000000001", "T#T1"}},
		"factorKey":         {factorKey(ulid), [2]string{"U#01JZ0000000000000000000001", "M#TOTP"}},
		"pendingKey":        {pendingTOTPKey(ulid), [2]string{"U#01JZ0000000000000000000001", "M#PENDING"}},
		"passkeyPendingKey": {pendingPasskeyKey(ulid), [2]string{"U#01JZ0000000000000000000001", "M#ASKED"}},
		"mailCodeKey":       {mailCodeKey(ulid), [2]string{"U#01JZ0000000000000000000001", "M#MAIL"}},
		"challengeKey":      {passkeyChallengeKey("prod", []byte{1, 0xff}), [2]string{"H#prod#01ff", "K"}},
		"recoveryKey":       {recoveryCodesKey(ulid), [2]string{"U#01JZ0000000000000000000001", "M#CODES"}},
		"deviceKey":         {trustedDeviceKey(ulid, "D1"), [2]string{"U#01JZ0000000000000000000001", "D#D1"}},
		"apiKeyKey":         {apiKeyKey(ulid, "P1"), [2]string{"U#01JZ0000000000000000000001", "P#P1"}},
		"apiKeysKey":        {apiKeyCountKey(ulid), [2]string{"U#01JZ0000000000000000000001", "P"}},
		"contactKey":        {contactKey(ulid), [2]string{"U#01JZ0000000000000000000001", "C"}},
		"delegationKey":     {delegationKey(ulid, "G1"), [2]string{"U#01JZ0000000000000000000001", "G#G1"}},
		"delegatePK":        {key{pk: delegationTargetPK("main")}, [2]string{"V#main", ""}},
		"delegateKey": {delegationTargetKey("main", "resourceGroup", "Staff", ulid),
			[2]string{"V#main", "resourceGroup#staff#01JZ0000000000000000000001"}},
		"eventKey":          {eventKey(ulid, "E1"), [2]string{"U#01JZ0000000000000000000001", "E#E1"}},
		"resourcePK":        {key{pk: resourcePK("main")}, [2]string{"R#main", ""}},
		"resourceKey":       {resourceKey("main", "jd"), [2]string{"R#main", "jd"}},
		"resourceNumberKey": {resourceNumberKey("main"), [2]string{"E#main", "RESOURCES"}},
		"ownSetsPK":         {key{pk: ownSetsPK("main", ulid)}, [2]string{"Q#main#01JZ0000000000000000000001", ""}},
		"sharedSetsPK":      {key{pk: sharedSetsPK("main")}, [2]string{"Q#main", ""}},
		"setKey":            {setKey(sharedSetsPK("main"), ulid), [2]string{"Q#main", "01JZ0000000000000000000001"}},
		"setsHeadKey":       {setsHeadKey(sharedSetsPK("main")), [2]string{"Q#main", "HEAD"}},
		"jobPK":             {key{pk: jobPK("main")}, [2]string{"J#main", ""}},
		"jobKey":            {jobKey("main", "J1"), [2]string{"J#main", "J1"}},
		"linePK":            {key{pk: jobQueuePK("main")}, [2]string{"J#main#LINE", ""}},
		"lineKey": {jobQueueKey("main", "20260105T090000.000Z", "J1"),
			[2]string{"J#main#LINE", "20260105T090000.000Z#J1"}},
		"decoyKey":      {decoyKey("main", 7), [2]string{"X#main", "07"}},
		"decoyEventKey": {decoyEventKey("main", 7), [2]string{"X#main", "E#07"}},
		"arrivalsKey": {requestCountKey("main", "2001:db8::/64", "2026-01-05T09:00:00.000Z"),
			[2]string{"B#main#2001:db8::/64", "2026-01-05T09:00:00.000Z"}},
		"formerKey":    {passwordHistoryKey(ulid), [2]string{"U#01JZ0000000000000000000001", "H"}},
		"linkKey":      {passwordLinkKey(ulid), [2]string{"K#01JZ0000000000000000000001", "L"}},
		"linkDecoyKey": {passwordLinkDecoyKey("main", "L1"), [2]string{"X#main", "L#L1"}},
		"askedKey": {resetRequestsKey("main", "192.0.2.1", "2026070112"),
			[2]string{"F#main#192.0.2.1", "2026070112"}},
		"overviewKey": {overviewKey("main"), [2]string{"E#main", "OVERVIEW"}},
		"dayPK":       {key{pk: dailyCountPK("main", 3)}, [2]string{"T#main#3", ""}},
		"dayKey":      {dailyCountKey("main", 3, "2026-11-23"), [2]string{"T#main#3", "2026-11-23"}},
		"keyExpiryPK": {key{pk: keyExpiryPK("main")}, [2]string{"N#main", ""}},
		"keyExpiryKey": {keyExpiryKey("main", "2026-07-01", ulid, "K1"),
			[2]string{"N#main", "2026-07-01#01JZ0000000000000000000001#K1"}},
		"waitingPK":      {key{pk: queuedMailPK("main")}, [2]string{"W#main", ""}},
		"waitingKey":     {queuedMailKey("main", "M1"), [2]string{"W#main", "M1"}},
		"mailedPK":       {key{pk: mailLogPK("main")}, [2]string{"M#main", ""}},
		"mailedKey":      {mailLogKey("main", "M1"), [2]string{"M#main", "M1"}},
		"providerPK":     {key{pk: providerPK("main")}, [2]string{"O#main", ""}},
		"providerKey":    {providerKey("main", ulid), [2]string{"O#main", "01JZ0000000000000000000001"}},
		"identityPK":     {key{pk: identityPK("main", "P1")}, [2]string{"Y#main#P1", ""}},
		"identityKey":    {identityKey("main", "P1", "o#1"), [2]string{"Y#main#P1", "o#1"}},
		"signOnKey":      {accountIdentityKey(ulid, "P1"), [2]string{"U#01JZ0000000000000000000001", "O#P1"}},
		"attemptKey":     {signOnAttemptKey("main", []byte{1, 255}), [2]string{"Z#main#01ff", "K"}},
		"idempotencyKey": {idempotencyKey("d1"), [2]string{"I#d1", "K"}},
	}
	for name, p := range pinned {
		if p.made != (key{p.want[0], p.want[1]}) {
			t.Errorf("%s makes %q, want %q", name, p.made, p.want)
		}
	}
	for _, name := range keyFunctions(t) {
		if _, ok := pinned[name]; !ok {
			t.Errorf("%s of keys.go is not pinned here", name)
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
	seen := map[key]string{}
	for name, k := range map[string]key{
		"head": headKey("x"), "entry": entryKey("x", catalogue.Role, "x"),
		"another kind's entry": entryKey("x", catalogue.Group, "x"),
		"row":                  rowKey("x", "x"), "login": loginKey("x", "x"), "anchor": anchorKey("x"),
		"session": sessionKey("x", "x"),
		"ticket":  ticketKey("x", "x"), "factor": factorKey("x"), "pending": pendingTOTPKey("x"),
		"asked for a passkey": pendingPasskeyKey("x"), "mail code": mailCodeKey("x"),
		"challenge": passkeyChallengeKey("x", []byte("x")), "recovery": recoveryCodesKey("x"),
		"device": trustedDeviceKey("x", "x"), "event": eventKey("x", "x"), "job": jobKey("x", "x"),
		"line": jobQueueKey("x", "x", "x"), "resource": resourceKey("x", "x"), "resource number": resourceNumberKey("x"),
		"decoy": decoyKey("x", 1), "decoy's event": decoyEventKey("x", 1), "arrivals": requestCountKey("x", "x", "x"),
		"former": passwordHistoryKey("x"), "link": passwordLinkKey("x"), "link decoy": passwordLinkDecoyKey("x", "x"),
		"asked": resetRequestsKey("x", "x", "x"), "overview": overviewKey("x"), "day": dailyCountKey("x", 1, "x"),
		"key expiry": keyExpiryKey("x", "x", "x", "x"), "waiting": queuedMailKey("x", "x"), "mailed": mailLogKey("x", "x"),
		"idempotency": idempotencyKey("x"),
		"provider":    providerKey("x", "x"), "identity": identityKey("x", "x", "x"), "sign-on": accountIdentityKey("x", "x"),
		"attempt": signOnAttemptKey("x", nil),
	} {
		if other, taken := seen[k]; taken {
			t.Errorf("%s and %s have the key %v", name, other, k)
		}
		seen[k] = name
	}
}

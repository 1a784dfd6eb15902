package schema

import (
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/mfa"
)

// TrustedDevice is the item of a trusted device. It has no tries: they start at zero whenever a device is written.
func TrustedDevice(accountID string, d mfa.TrustedDevice) table.Item {
	k := TrustedDeviceKey(accountID, d.ID)
	it := table.Item{
		"PK": table.S(k.PK), "SK": table.S(k.SK), AttrID: table.S(d.ID), "hash": table.B(d.Hash), "name": table.S(d.Name),
		"addr":  table.S(d.Address),
		"first": table.Timestamp(d.FirstUsed), "last": table.Timestamp(d.LastUsed), AttrExpires: table.Timestamp(d.Expires),
		"ttl": table.N(d.Expires.Unix()), "epoch": table.N(d.Epoch),
	}
	if d.PreviousHash != nil {
		it["was"], it["rotated"] = table.B(d.PreviousHash), table.Timestamp(d.Rotated)
	}
	return it
}

// TrustedDeviceOf reads a trusted device.
func TrustedDeviceOf(it table.Item) mfa.TrustedDevice {
	return mfa.TrustedDevice{
		ID: table.String(it, AttrID), Hash: table.Bytes(it, "hash"), PreviousHash: table.Bytes(it, "was"),
		Rotated: table.Time(it, "rotated"),
		Name:    table.String(it, "name"),
		Address: table.String(it, "addr"), FirstUsed: table.Time(it, "first"), LastUsed: table.Time(it, "last"),
		Expires: table.Time(it, AttrExpires), Epoch: table.Int(it, "epoch"),
		Tries: table.Int(it, AttrTries),
	}
}

// AttrExpires is when a trusted device, a pending second factor or a challenge expires.
const AttrExpires = "expires"

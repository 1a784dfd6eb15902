package session

import "net/netip"

// Network returns what requests are counted by: an IPv4 address, or the /64 of an IPv6 one, because a household has as
// many addresses as it likes within one. What is no address counts together.
func Network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return "unknown"
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	prefix, _ := ip.Prefix(64) //nolint:errcheck // 64 fits every IPv6 address
	return prefix.String()
}

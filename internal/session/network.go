package session

import "net/netip"

// Network returns the network by which requests are counted: an IPv4 address, or the /64 of an IPv6 address, within
// which a household has as many addresses as it likes. Everything that is not an address counts as one network.
func Network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return "unknown"
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	prefix, _ := ip.Prefix(64) // 64 fits every IPv6 address
	return prefix.String()
}

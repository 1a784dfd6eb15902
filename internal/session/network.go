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

// SignInNetwork returns the network that a person is known to sign in from: the /24 of an IPv4 address, or the /64 of
// an IPv6 address; "" for everything that is not an address. It is wider than Network, as a line gets another address
// of its provider's now and then.
func SignInNetwork(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return ""
	}
	ip = ip.Unmap().WithZone("")
	bits := 64
	if ip.Is4() {
		bits = 24
	}
	prefix, _ := ip.Prefix(bits) // both fit their kind of address
	return prefix.String()
}

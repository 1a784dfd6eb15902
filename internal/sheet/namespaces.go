package sheet

import "fmt"

// namespace is one of the XML namespaces that are read here.
type namespace uint8

const (
	nsOther     namespace = iota // none, or one that is not read
	nsMain                       // SpreadsheetML
	nsOffice                     // the r: of r:id
	nsRelations                  // of .rels parts
	nsTypes                      // of [Content_Types].xml
)

// namespaceOf returns the namespace of a URI, in its transitional or its strict form (part 1, 8.1 and annex A).
func namespaceOf(uri []byte) namespace {
	switch string(uri) {
	case "http://schemas.openxmlformats.org/spreadsheetml/2006/main", "http://purl.oclc.org/ooxml/spreadsheetml/main":
		return nsMain
	case "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
		"http://purl.oclc.org/ooxml/officeDocument/relationships":
		return nsOffice
	case "http://schemas.openxmlformats.org/package/2006/relationships":
		return nsRelations
	case "http://schemas.openxmlformats.org/package/2006/content-types":
		return nsTypes
	}
	return nsOther
}

// maxBindings bounds the prefixes in force that matter, as each element may have to look through them.
const maxBindings = 64

// binding is a prefix in force from an element on.
type binding struct {
	prefix string
	ns     namespace
	depth  int
}

// namespaces holds the prefixes in force. The zero value has none.
type namespaces struct {
	bindings   []binding
	unprefixed namespace // of names without a prefix
}

// of returns the namespace of a prefix.
func (n *namespaces) of(prefix []byte) namespace {
	if len(prefix) == 0 {
		return n.unprefixed
	}
	for i := len(n.bindings) - 1; i >= 0; i-- {
		if n.bindings[i].prefix == string(prefix) {
			return n.bindings[i].ns
		}
	}
	return nsOther
}

// declare takes note of an attribute at an element of that depth, if it declares a prefix that matters: one of a
// namespace that is read, or one that hides such a prefix.
func (n *namespaces) declare(prefix, local, uri []byte, depth int) error {
	var declared []byte
	switch {
	case string(prefix) == "xmlns":
		declared = local
	case len(prefix) > 0 || string(local) != "xmlns":
		return nil
	}
	ns := namespaceOf(uri)
	if ns == n.of(declared) {
		return nil
	}
	if len(n.bindings) == maxBindings {
		return fmt.Errorf("%w: more than %d namespaces", errMalformed, maxBindings)
	}
	n.bindings = append(n.bindings, binding{string(declared), ns, depth})
	n.refresh()
	return nil
}

// leave forgets what was declared at the element of that depth.
func (n *namespaces) leave(depth int) {
	last := len(n.bindings)
	for last > 0 && n.bindings[last-1].depth >= depth {
		last--
	}
	if last < len(n.bindings) {
		n.bindings = n.bindings[:last]
		n.refresh()
	}
}

// refresh finds the namespace of names without a prefix.
func (n *namespaces) refresh() {
	n.unprefixed = nsOther
	for _, b := range n.bindings {
		if b.prefix == "" {
			n.unprefixed = b.ns
		}
	}
}

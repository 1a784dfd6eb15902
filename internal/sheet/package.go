package sheet

import (
	"path"
	"strings"
)

// typesPart holds the content type of each part (part 2, 7.2.3).
const typesPart = "[Content_Types].xml"

// relation is one relationship of a part to another one of the package (part 2, 6.5).
type relation struct {
	kind   string // the last word of its type: "worksheet", "styles"
	target string // the part's name
}

// relations returns the relationships of a part by their id; part "" is the package as a whole. Relationships to
// targets outside the package are left out: nothing here follows one.
func (a *archive) relations(part string) (map[string]relation, error) {
	name := path.Join(path.Dir(part), "_rels", path.Base(part)+".rels")
	if part == "" {
		name = "_rels/.rels"
	}
	s, r, err := a.scan(name)
	if err != nil {
		return nil, partFault(name, err)
	}
	found := make(map[string]relation)
	err = s.root(nsRelations, "Relationships")
	if err == nil {
		err = s.each(nsRelations, func() error { return a.addRelation(s, path.Dir(part), found) })
	}
	if err == nil {
		err = r.drain()
	}
	return found, partFault(name, err)
}

// addRelation adds the Relationship element whose start s has just read.
func (a *archive) addRelation(s *scanner, folder string, found map[string]relation) error {
	if len(found) >= a.limits.Parts {
		return tooManyParts("parts", a.limits.Parts)
	}
	if mode, _ := s.attr("TargetMode"); string(mode) == "External" {
		return nil
	}
	id, _ := s.attr("Id")
	kind, _ := s.attr("Type")
	target, _ := s.attr("Target")
	if _, double := found[string(id)]; double {
		return unsafeFile("relationship %q is there twice", id)
	}
	to := strings.ReplaceAll(string(target), `\`, "/")
	if strings.HasPrefix(to, "/") {
		to = path.Clean(to[1:])
	} else {
		to = path.Join(folder, to)
	}
	if to == ".." || strings.HasPrefix(to, "../") || strings.HasPrefix(to, "/") {
		return unsafeFile("relationship %q leads out of the package", id)
	}
	found[string(id)] = relation{relationKind(string(kind)), to}
	return nil
}

// relationKind returns the last word of a relationship's type; "" for a type that is not of Office.
func relationKind(uri string) string {
	for _, prefix := range []string{
		"http://schemas.openxmlformats.org/officeDocument/2006/relationships/",
		"http://purl.oclc.org/ooxml/officeDocument/relationships/",
	} {
		if kind, ok := strings.CutPrefix(uri, prefix); ok {
			return kind
		}
	}
	return ""
}

// checkTypes reads the content types, and returns a fault if there are macros, or if main is not a workbook.
func (a *archive) checkTypes(main string) error {
	s, r, err := a.scan(typesPart)
	if err != nil {
		return partFault(typesPart, err)
	}
	standard, own, withMacros := "", "", false
	err = s.root(nsTypes, "Types")
	if err == nil {
		err = s.each(nsTypes, func() error {
			value, _ := s.attr("ContentType")
			kind := strings.ToLower(string(value))
			// A Default may name macros that no part holds (excelize's SaveAs always writes one); an Override names a part.
			withMacros = withMacros || string(s.name) == "Override" && (strings.Contains(kind, "vbaproject") ||
				strings.Contains(kind, "macrosheet") || strings.Contains(kind, "macroenabled") && !strings.Contains(kind, "binary"))
			extension, _ := s.attr("Extension")
			name, _ := s.attr("PartName")
			switch {
			case string(s.name) == "Override" && strings.EqualFold(strings.TrimPrefix(string(name), "/"), main):
				own = kind
			case string(s.name) == "Default" && strings.EqualFold("."+string(extension), path.Ext(main)):
				standard = kind
			}
			return nil
		})
	}
	if err == nil {
		err = r.drain()
	}
	if err != nil {
		return partFault(typesPart, err)
	}
	if own == "" {
		own = standard
	}
	return checkType(own, withMacros)
}

// checkType returns a fault unless the type of the main part is that of a workbook without macros.
func checkType(kind string, withMacros bool) error {
	const office = "application/vnd.openxmlformats-officedocument."
	switch {
	case strings.Contains(kind, "ms-excel.sheet.binary"):
		return oldWorkbook("a binary workbook (.xlsb)")
	case strings.HasPrefix(kind, office+"wordprocessingml"), strings.Contains(kind, "ms-word"):
		return notWorkbook("a Word document")
	case strings.HasPrefix(kind, office+"presentationml"), strings.Contains(kind, "ms-powerpoint"):
		return notWorkbook("a PowerPoint presentation")
	case withMacros:
		return macroFault()
	case kind == office+"spreadsheetml.sheet.main+xml", kind == office+"spreadsheetml.template.main+xml":
		return nil
	}
	return notWorkbook("an Office file of another kind")
}

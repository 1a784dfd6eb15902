package sheet

import "strings"

// cellFormat is what a cell's style says of the number in it.
type cellFormat struct {
	date bool
	// zeros is the minimum number of digits of an integer, from a format such as 00000.
	zeros uint8
}

// maxFormats bounds the styles of a workbook; Excel has 65,490.
const maxFormats = 1 << 16

// readStyles reads the number formats of the styles part (18.8): one for each style that a cell can have.
func (a *archive) readStyles(part string) ([]cellFormat, error) {
	s, r, err := a.scan(part)
	if err != nil {
		return nil, partFault(part, err)
	}
	custom := make(map[int]cellFormat)
	var ids []int // of the number formats of cellXfs, which may stand before or after the formats themselves
	err = s.root(nsMain, "styleSheet")
	if err == nil {
		err = s.each(nsMain, func() error {
			switch string(s.name) {
			case "numFmts":
				return s.each(nsMain, func() error {
					code, _ := s.attr("formatCode")
					if len(custom) >= maxFormats {
						return tooManyParts("number formats", maxFormats)
					}
					custom[s.attrInt("numFmtId")] = formatOf(string(code))
					return nil
				})
			case "cellXfs":
				return s.each(nsMain, func() error {
					if len(ids) >= maxFormats {
						return tooManyParts("cell styles", maxFormats)
					}
					ids = append(ids, s.attrInt("numFmtId"))
					return nil
				})
			}
			return nil
		})
	}
	if err == nil {
		err = r.drain()
	}
	formats := make([]cellFormat, len(ids))
	for i, id := range ids {
		var own bool
		if formats[i], own = custom[id]; !own {
			formats[i] = builtInFormat(id)
		}
	}
	return formats, partFault(part, err)
}

// attrInt returns an attribute as a number; 0 when it is none.
func (s *scanner) attrInt(local string) int {
	value, _ := s.attr(local)
	n, _ := parseDigits(string(value), 1, 9)
	return n
}

// builtInFormat returns the format of a number that has no code in the file (18.8.30). 27 to 36 and 50 to 58 are dates
// in East Asian versions of Excel. A few of those are times, but times have serial numbers below 1.
func builtInFormat(id int) cellFormat {
	switch {
	case id >= 14 && id <= 17, id == 22, id >= 27 && id <= 36, id >= 50 && id <= 58:
		return cellFormat{date: true}
	}
	return cellFormat{}
}

// formatOf returns the format of a format code (18.8.31), by its first section, the one for positive numbers. It is a
// date if it has a day, a year or a month. A time of day or a duration is not a date.
func formatOf(code string) cellFormat {
	letters := formatLetters(code)
	if len(letters) > 1 && len(letters) < 64 && strings.Trim(letters, "0") == "" && letters == code {
		return cellFormat{zeros: uint8(len(letters))} //nolint:gosec // fewer than 64
	}
	letters = strings.ToLower(letters)
	switch {
	case strings.Contains(letters, "general"):
		return cellFormat{}
	case strings.ContainsAny(letters, "dy"):
		return cellFormat{date: true}
	}
	return cellFormat{date: strings.Contains(letters, "m") && !strings.ContainsAny(letters, "hs")}
}

// formatLetters returns the first section of a format code without its literal parts: texts in quotes, characters after
// \, _ and *, and brackets (a colour, a region), except the hours of a duration.
func formatLetters(code string) string {
	var b strings.Builder
	for i := 0; i < len(code); i++ {
		switch c := code[i]; c {
		case ';':
			return b.String()
		case '\\', '_', '*':
			i++
		case '"':
			end := strings.IndexByte(code[i+1:], '"')
			if end < 0 {
				return b.String()
			}
			i += 1 + end
		case '[':
			end := strings.IndexByte(code[i:], ']')
			if end < 0 {
				return b.String()
			}
			if inside := strings.ToLower(code[i+1 : i+end]); inside != "" && strings.Trim(inside, "hms") == "" {
				b.WriteString("h")
			}
			i += end
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

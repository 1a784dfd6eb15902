// Package phone reads telephone numbers. It is a package of its own because the library's tables cost five megabytes
// and eight milliseconds of start-up, which only the functions that write accounts shall pay.
package phone

import "github.com/nyaruka/phonenumbers"

// E164 returns the number in the form of ITU-T E.164, such as +442079460018, if what was typed is a valid number of the
// country (ISO 3166-1 alpha-2) or has an international prefix; else nothing.
func E164(input, country string) string {
	if input == "" {
		return ""
	}
	number, err := phonenumbers.Parse(input, country)
	if err != nil || !phonenumbers.IsValidNumber(number) {
		return ""
	}
	return phonenumbers.Format(number, phonenumbers.E164)
}

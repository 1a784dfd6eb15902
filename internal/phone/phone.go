// Package phone reads telephone numbers. It is separate because the library's tables cost five megabytes and eight
// milliseconds at start-up, which only the functions that write accounts should pay.
package phone

import "github.com/nyaruka/phonenumbers"

// E164 returns a number in the form of ITU-T E.164, such as +442079460018. The input must be a valid number of the
// country (ISO 3166-1 alpha-2), or have an international prefix; otherwise the result is empty.
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

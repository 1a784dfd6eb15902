package phone

import "testing"

func TestE164(t *testing.T) {
	for _, c := range []struct{ input, country, want string }{
		{"07911 123456", "GB", "+447911123456"},
		{"+49 30 123456", "GB", "+4930123456"},
		{"0049 30 123456", "DE", "+4930123456"},
		{"020 7946 0018", "US", ""},
		{"ask at the desk", "GB", ""},
		{"", "GB", ""},
		{"07911 123456", "", ""},
	} {
		if got := E164(c.input, c.country); got != c.want {
			t.Errorf("E164(%q, %q) = %q, want %q", c.input, c.country, got, c.want)
		}
	}
}

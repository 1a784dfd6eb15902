package password

// Readable reports whether a text is a hash that Verify works with, without the work.
func Readable(hash string) bool {
	_, err := parse(hash)
	return err == nil
}

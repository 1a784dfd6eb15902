package apidoc

// Version is the version of the product, by Semantic Versioning. It is stated here; openapi.json, the console's footer,
// the stack's description and the change log show it, and internal/archtest/version_test.go holds them to it.
const Version = "1.0.0"

package lint

// appendHello appends a TLS record with the ClientHello of a TLS 1.3 client for a
// name of at most 253 bytes.
func appendHello(b, name []byte) []byte {
	n := len(name)
	word := func(v int) { b = append(b, byte(v>>8), byte(v)) }
	const fixed = 2 + 32 + 1 + 2 + 2 + 2 + 2 // up to the extensions, and their length
	extensions := 9 + n + 7
	b = append(b, 22, 3, 1)
	word(4 + fixed + extensions)
	b = append(b, 1, 0)
	word(fixed + extensions)
	b = append(b, 3, 3)
	b = append(b, make([]byte, 32+1)...) // random, no session
	b = append(b, 0, 2, 0x13, 1, 1, 0)   // a cipher suite, no compression
	word(extensions)
	b = append(b, 0, 0) // server_name (RFC 6066 3)
	word(n + 5)
	word(n + 3)
	b = append(b, 0)
	word(n)
	b = append(b, name...)
	return append(b, 0, 0x2b, 0, 3, 2, 3, 4) // supported_versions
}

package attack

// scannerRules name what scanners of web servers leave in their requests.
var scannerRules = append(plain(WebScan,
	"acunetix_wvs_", "injected_by_wvs_", "somecustominjectedheader", "some_inexistent_file_with_long_name",
	"testasp.vulnweb.com/t/fit.txt", "www.acunetix.tst", ".bxss.me", "thishouldnotexistandhopefullyitwillnot",
	"chr(122).chr(97).chr(112)", "vega-inject", "vega123", "vega.invalid", "put-putfile", "w00tw00t", "muieblackcat",
), rule{word: "owasp%", category: WebScan, check: proxyAttack})

// proxyAttack: OWASP%20ZAP, whatever the number.
func proxyAttack(s *scan, _, end int) bool {
	at := s.run(end, isDigit)
	return at > end && s.is(at, "zap")
}

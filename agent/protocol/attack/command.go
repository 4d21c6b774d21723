package attack

// commandRules are those of remote code execution.
var commandRules = append(plain(RCE,
	"$_request[", "$_get[", "$_post[", "xp_cmdshell", "shell_exec", "exec_code", "shell:::{", "oscmd(", "tftp -",
	"curl -o", "sh /tmp/", "touch /tmp/", "cmd.exe", "2>&1", "base64 -d", "ms-msdt:", "mhtml:ftp:",
	"base64:jhtqbmrp", "ipconfig", "nltest", "netsh firewall", "netsh wlan", "${ifs}",
	"getruntime().exec(", ".execsync(", "timeout /t", "timeout.exe /t",
	"-d allow_url_include", "-d safe_mode", "-d auto_prepend_file",
), []rule{
	{word: "wget http", category: RCE, check: fetch},
	{word: "net config", category: RCE, check: netCommand},
	{word: "net view", category: RCE, check: netCommand},
	{word: "ping -n ", category: RCE, check: ping},
	{word: "ping -c ", category: RCE, check: ping},
	{word: "ping.exe -n ", category: RCE, check: ping},
	{word: "ping.exe -c ", category: RCE, check: ping},
	{word: "/bin/sh", category: RCE, check: wordEnd},
	{word: "/bin/bash", category: RCE, check: wordEnd},
	{word: "/sbin/launchd", category: RCE, check: wordEnd},
	{word: "cat /", category: RCE, check: wordStart},
	{word: "ls /", category: RCE, check: wordStart},
	{word: "chmod ", category: RCE, check: chmod},
	{word: "nc -l -p ", category: RCE, check: thenDigit},
	{word: "/dev/null", category: RCE, check: redirected},
	{word: "jndi:", category: RCE, check: naming},
}...)

// plain makes rules that are words only.
func plain(c Category, words ...string) (rules []rule) {
	for _, word := range words {
		rules = append(rules, rule{word: word, category: c})
	}
	return rules
}

// fetch: in a form an address follows, of which people do not say "wget http".
func fetch(s *scan, _, end int) bool {
	return !s.form || s.byteIs(end, ':') || s.is(end, "s:")
}

// netCommand: in a form it is no part of a name such as ASP.NET.
func netCommand(s *scan, start, end int) bool {
	return !s.form || wordStart(s, start, end) && !s.byteIs(start-1, '.')
}

// ping with a count.
func ping(s *scan, start, end int) bool {
	return wordStart(s, start, end) && thenDigit(s, start, end)
}

// chmod with an octal mode or x, the latter with a plus or without.
func chmod(s *scan, _, end int) bool {
	at := end
	for at < len(s.text) && s.text[at] >= '0' && s.text[at] <= '7' && at-end < 5 {
		at++
	}
	if n := at - end; (n == 3 || n == 4) && wordEnd(s, end, at) {
		return true
	}
	for at = end; s.byteIs(at, ' '); at++ {
		s.steps++
	}
	if s.byteIs(at, '+') {
		at++
	}
	end, ok := s.oneOf(at, "x")
	return ok && wordEnd(s, at, end)
}

// redirected reports whether output goes where start is.
func redirected(s *scan, start, _ int) bool {
	for start--; s.any(start, isSpace); start-- {
		s.steps++
	}
	return s.byteIs(start, '>')
}

// naming: a look-up by way of JNDI.
func naming(s *scan, _, end int) bool {
	_, ok := s.oneOf(end, "ldap", "rmi", "dns", "http", "corba", "iiop", "nds", "nis")
	return ok
}

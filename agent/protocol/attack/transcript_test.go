package attack

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// The categories as regular expressions, written from their description and
// not from the rules. \w, \d and \s of package regexp know ASCII only, and so
// does \b: W, D and S below stand for the Unicode classes, N for what is no
// word character, and ‹ and › for word boundaries in front of and behind a word.
var transcripts = [categories]string{
	SQLInjection: `information_schema|sysdatabases|sysusers|floor\(rand\(|ODBC;DRIVER|VARCHAR\(|ORDER BY {D}` +
		`|‹(?:CONVERT\(|COUNT\(\*\)|sleep\(|pg_sleep\(|UPDATEXML\(|EXTRACTVALUE\()` +
		`|‹UNION{S}+(?:ALL{S}+)?SELECT›` +
		`|‹CASE{N}+WHEN.*THEN›` +
		`|‹WAITFOR{N}+DELAY›` +
		`|‹SELECT{N}(?:.*{N})?FROM{N}(?:.*{N})?(?:WHERE|GROUP|ORDER)›` +
		`|‹SELECT {W}+ FROM {W}` +
		`|‹(?:AND|OR|SELECT)(?:{N}.*)?/\*.*\*/|/\*.*\*/(?:.*{N})?(?:AND|OR|SELECT)›` +
		`|‹(?:AND|OR){N}+{D}+['") ]?[=><]['"( ]?{D}+` +
		`|‹INTO{S}+(?:OUTFILE|DUMPFILE)` +
		`|‹DROP{N}+(?:TABLE|DATABASE)›`,
	XMLInjection:  `/text\(\)='`,
	PHPInjection:  `<\?php|php://input`,
	LDAPInjection: `\(\|\({W}+=\*`,
	XSS: `<script.*>|‹alert\(|(?:alert|confirm|prompt)\((?:{D}+|document\.|response\.write\(|{N}*XSS)` +
		`|(?:onmouseover|onerror|onfocus|ontransitionend)=[^&;\n]+\(`,
	XXE:  `\[<!ENTITY`,
	SSTI: `\$\{[^&]+\}|\$\{\{.*\}\}`,
	DataLeakage: `(?:imei|imsi)={D}{15}|iccid=[a-z0-9]{18,22}|(?:mac|macaddress|sid)=[0-9a-f]{2}(?::[0-9a-f]{2}){5}|sim={D}{20}` +
		`|(?:[a-z0-9_.+-]+@[a-z0-9.-]+\.[a-z]+.{0,100}){4}|(?:telnum|telcompany)=[a-z0-9-]`,
	ConfigFile: `\.htaccess|\.htpasswd|‹wp-config\.php`,
	RCE: `\$_REQUEST\[|\$_GET\[|\$_POST\[|xp_cmdshell|shell_exec|exec_code|shell:::\{|oscmd\(|tftp -|wget http|curl -O|sh /tmp/|touch /tmp/` +
		`|cmd\.exe|2>&1|base64 -d|ms-msdt:|mhtml:ftp:|base64:JHtqbmRp|ipconfig|net config|net view|nltest|netsh firewall|netsh wlan` +
		`|\$\{IFS\}|getRuntime\(\)\.exec\(|\.execSync\(|‹ping(?:\.exe)? -[nc] {D}|timeout(?:\.exe)? /T|(?:/bin/sh|/bin/bash|/sbin/launchd)›` +
		`|‹(?:cat|ls) /|chmod [0-7]{3,4}›|chmod +\+?x›|nc -l -p {D}|>{S}*/dev/null|-d (?:allow_url_include|safe_mode|auto_prepend_file)` +
		`|jndi:(?:corba|dns|http|iiop|nds|nis|ldap|ldaps|rmi)`,
	Traversal: `(?:\.{2,}[/\\]+){3,}|/etc/(?:group|passwd|shadow|issue|hostname|hosts|sudoers)|[/\\](?:boot|system|win)\.ini|[/\\]system32›|%SYSTEMROOT%`,
	WebScan: `acunetix_wvs_|injected_by_wvs_|SomeCustomInjectedHeader|some_inexistent_file_with_long_name|testasp\.vulnweb\.com/t/fit\.txt` +
		`|www\.acunetix\.tst|\.bxss\.me|thishouldnotexistandhopefullyitwillnot|OWASP%{D}+ZAP|chr\(122\)\.chr\(97\)\.chr\(112\)|Vega-Inject|VEGA123` +
		`|vega\.invalid|PUT-putfile|w00tw00t|muieblackcat`,
	DNSChanger: `‹(?:(?:dhcp(?:Pri|Sec)|static(?:Pri|Sec|Thi))Dns|(?:static)?(?:Pri|Sec|Thi)Dnsv6|dns2?ipv[46]|pppoe(?:Pri|Sec)Dns|wan_dns[12]` +
		`|dns(?:Primary|Secondary|Dynamic|Refresh)|DNS_FST|DNS_SND|dnsserver[12]?|dns_server_ip_[1-4]|dns[1-4]|dns[12]_[1-4]|wan_dns[1-4]?_x` +
		`|wan_dnsenable_x|dns_status|[pa]_DNS|uiViewDns[12]Mark|uiViewDNSRelay|is_router_as_dns|Enable_DNSFollowing|domainserverip|DSEN|DNSEN` +
		`|dnsmode|dns%5Bserver[12]%5D)=`,
}

// alphabetic are the word characters of the category So, which no class of
// package regexp names.
const alphabetic = `Ⓐ-ⓩ\x{1f130}-\x{1f149}\x{1f150}-\x{1f169}\x{1f170}-\x{1f189}`

const wordClass = `\p{L}\p{Nl}\p{M}\p{Nd}\p{Pc}\x{200c}\x{200d}` + alphabetic

var expand = strings.NewReplacer(
	"{W}", `[`+wordClass+`]`, "{N}", `[^`+wordClass+`]`, "{D}", `\p{Nd}`,
	"{S}", `[\t-\r \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]`,
	"‹", `(?:^|[^`+wordClass+`])`, "›", `(?:$|[^`+wordClass+`])`)

func compiled() (all [categories]*regexp.Regexp) {
	for c := SQLInjection; c < categories; c++ {
		all[c] = regexp.MustCompile(`(?is)` + expand.Replace(transcripts[c]))
	}
	return all
}

func replaced(text []byte) []byte {
	var b []byte
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		b = utf8.AppendRune(b, r)
		text = text[size:]
	}
	return b
}

// compare holds a matcher against the expressions.
func compare(t *testing.T, m *Matcher, all *[categories]*regexp.Regexp, text []byte) {
	t.Helper()
	plain := replaced(text)
	first := None
	for c := SQLInjection; c < categories; c++ {
		want := all[c].Match(plain)
		if want && first == None {
			first = c
		}
		if got := m.Matches(text, c); got != want {
			t.Errorf("Matches(%q, %s) = %v, the expression says %v", text, c, got, want)
		}
	}
	if got := m.Match(text); got != first {
		t.Errorf("Match(%q) = %s, the expressions say %s", text, got, first)
	}
}

// pieces make texts that are nearly or wholly attacks.
var pieces = strings.Split(" |  |\t|\n|'|\"|(|)|=|<|>|&|;|.|..|/|\\|-|_|+|,|:|@|*|/*|*/|#|!|${|{|}|}}|$|[|]|%|?|0|1|7|12|777|0644|x|+x|a|s|K|ſ|\u212a|é|٣|Ⓐ|\u00a0|\u200d|\xff|"+
	"select|union|all|from|where|group|order|by|order by |case|when|then|waitfor|delay|and|or|into|outfile|dumpfile|drop|table|database|"+
	"sleep(|pg_|count(*)|convert(|varchar(|floor(rand(|sysusers|information_schema|odbc;driver|updatexml(|"+
	"/text()='|<?php|php://input|(|(|=*|<script|alert(|confirm(|prompt(|document.|response.write(|xss|onerror=|onfocus=|[<!entity|"+
	"imei=|iccid=|123456789012345|12345678901234567890|mac=|sid=|macaddress=|00:11:22:aa:BB:cc|a@b.cd|a.b+c@d-e.f.gh|a@b.c@d.e|telnum=|sim=|"+
	".htaccess|wp-config.php|cmd.exe|2>&1|cat |ls |chmod |ping|.exe| -n | -c |timeout |/t|/bin/sh|/bin/bash|nc -l -p |/dev/null|-d |safe_mode|jndi:|ldap|ldaps|"+
	"../|..\\|.../|/etc/|passwd|hosts|boot.ini|win.ini|system32|%systemroot%|w00tw00t|owasp%|zap|vega.invalid|dns|dns1|dnsserver|wan_|_x|domainserverip|dsen|%5bserver1%5d|p_dns", "|")

func randomText(r *rand.Rand) []byte {
	var b []byte
	for range 1 + r.IntN(9) {
		piece := pieces[r.IntN(len(pieces))]
		switch r.IntN(8) {
		case 0:
			piece = strings.ToUpper(piece)
		case 1:
			piece = strings.ReplaceAll(piece, "s", "ſ")
		case 2:
			if len(piece) > 1 {
				piece = piece[:len(piece)-1]
			}
		}
		b = append(b, piece...)
		if r.IntN(3) == 0 {
			b = append(b, ' ')
		}
	}
	return b
}

// TestTranscripts compares with the expressions on texts put together at random.
func TestTranscripts(t *testing.T) {
	all, m := compiled(), NewMatcher()
	r := rand.New(rand.NewPCG(1, 2))
	seen := [categories]int{}
	n := 6000
	if testing.Short() {
		n = 600
	}
	for range n {
		text := randomText(r)
		compare(t, m, &all, text)
		seen[m.Match(text)]++
		if t.Failed() {
			return
		}
	}
	t.Log(seen)
}

// TestAddressTranscript does the same for e-mail addresses that share characters.
func TestAddressTranscript(t *testing.T) {
	all, m := compiled(), NewMatcher()
	r := rand.New(rand.NewPCG(3, 4))
	parts := []string{"a", "b1", "@", "@", "@", ".", ".", "-", "_", "é", " ", ".c", "a@b.c", "@b.c", strings.Repeat("x ", 24), strings.Repeat("é", 49), strings.Repeat("-", 50), "&"}
	hits := 0
	for range 10000 {
		var b []byte
		for range 4 + r.IntN(20) {
			b = append(b, parts[r.IntN(len(parts))]...)
		}
		want := all[DataLeakage].Match(b)
		if got := m.Matches(b, DataLeakage); got != want {
			t.Fatalf("Matches(%q) = %v, the expression says %v", b, got, want)
		}
		if want {
			hits++
		}
	}
	if hits < 100 {
		t.Errorf("only %d texts with four addresses", hits)
	}
}

// TestClasses holds the classes of all characters against Unicode's.
func TestClasses(t *testing.T) {
	word, space := regexp.MustCompile(`^[`+wordClass+`]$`), regexp.MustCompile(expand.Replace(`^{S}$`))
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if r >= 0xd800 && r < 0xe000 || r >= 0x20000 && r%61 != 0 {
			continue
		}
		text := string(r)
		folded := appendFolded(nil, []byte(text))
		if len(folded) != 1 {
			t.Fatalf("%U folds to %q", r, folded)
		}
		class := classes[folded[0]]
		if got, want := class&isWord != 0, word.MatchString(text); got != want {
			t.Errorf("%U: word character %v, want %v", r, got, want)
		}
		if got, want := class&isDigit != 0, unicode.Is(unicode.Nd, r); got != want {
			t.Errorf("%U: digit %v, want %v", r, got, want)
		}
		if got, want := class&isSpace != 0, space.MatchString(text); got != want {
			t.Errorf("%U: white space %v, want %v", r, got, want)
		}
	}
}

// FuzzMatch holds a matcher against the expressions.
func FuzzMatch(f *testing.F) {
	for _, c := range cases {
		for _, text := range append(c.yes, c.no...) {
			f.Add([]byte(text))
		}
	}
	for _, p := range pieces {
		f.Add([]byte(p))
	}
	all, m := compiled(), NewMatcher()
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) < 4096 {
			compare(t, m, &all, text)
		}
	})
}

package attack

import (
	"slices"
	"strings"
	"testing"
)

// cases give each alternative of each category two texts that meet it and two
// that nearly do.
var cases = []struct {
	category Category
	yes, no  []string
}{
	{SQLInjection, list("information_schema", "x.INFORMATION_SCHEMA.tables"), list("information-schema", "information_schem")},
	{SQLInjection, list("sysdatabases", "aSYSDATABASESb"), list("sysdatabase", "sys databases")},
	{SQLInjection, list("sysusers", "xſySuſerſ1"), list("sysuser", "sys_users")},
	{SQLInjection, list("floor(rand(", "a FLOOR(RAND(0)"), list("floor(rand", "floor (rand(")},
	{SQLInjection, list("ODBC;DRIVER", "odbc;driver=x"), list("odbc; driver", "odbc,driver")},
	{SQLInjection, list("VARCHAR(", "nvarchar(9)"), list("varchar (", "varcha(")},
	{SQLInjection, list("ORDER BY 1", "xorder by ٣"), list("order by x", "order  by 1")},
	{SQLInjection, list("CONVERT(", "a=convert(x"), list("aconvert(", "éconvert(")},
	{SQLInjection, list("COUNT(*)", ";count(*)"), list("account(*)", "count( *)")},
	{SQLInjection, list("sleep(", "'-SLEEP(5)"), list("asleep(", "sleep (")},
	{SQLInjection, list("pg_sleep(", ";PG_SLEEP("), list("xpg_sleep(", "pg-sleep")},
	{SQLInjection, list("updatexml(", " updateXML(1"), list("1updatexml(", "update_xml(")},
	{SQLInjection, list("extractvalue(", "(EXTRACTVALUE(1"), list("_extractvalue(", "extractvalue")},
	{SQLInjection, list("union select", "UNION\u00a0all\tSELECT", "union all select", "unıon union  select"), list("unionselect", "reunion select", "union allselect", "union selects", "union, select", "union all  all select", "unionall select")},
	{SQLInjection, list("case when 1 then", "(case((when\nx then)", "case-whenthen"), list("casewhen then", "case when thenx", "lowercase when then", "case then when")},
	{SQLInjection, list("waitfor delay", "WAITFOR--DELAY'"), list("waitfordelay", "waitfor delayed", "await_for delay", "xwaitfor delay")},
	{SQLInjection, list("select a from b where", "select\nfrom\ngroup", "select,from;from selects order", "selectselect select x from order"), list("select a from_b where", "where from select", "select from wherever", "selected from x where", "select * from")},
	{SQLInjection, list("select a from b", "SELECT é1 FROM é"), list("select a from  b", "select a,b from c", "select  a from b", "select from b", "unselect a from b")},
	{SQLInjection, list("or/**/", "select x /* y */", "/**/and", "/*a*/b and c", "or */ /**/ */"), list("orx/**/", "/*/or", "/* or */", "xor /**/", "/**/_or", "*/or/*", "or/*")},
	{SQLInjection, list("or 1=1", "' AND '1'='1", "or(2)=(3", "and 7)>'4", "or 1=1", "&or=1=1", "or\n٣<٣"), list("or1=1", "for 1=1", "or 1==1", "or x=1", "or 1 = x", "and 1  =1", "brand=1=1", "or 1", "or 1=", "or")},
	{SQLInjection, list("into outfile", "INTO\t\nDUMPFILE"), list("into_outfile", "into file", "pinto outfile", "into'outfile")},
	{SQLInjection, list("drop table", "DROP;database"), list("droptable", "drop tables", "raindrop table", "drop databases")},
	{XMLInjection, list("/text()='", "/TEXT()='x"), list("/text()=\"", "text()='")},
	{PHPInjection, list("<?php", "<?PHP echo"), list("<? php", "<?ph")},
	{PHPInjection, list("php://input", "=PHP://INPUT"), list("php:/input", "php://filter")},
	{LDAPInjection, list("(|(uid=*", "(|(é=*)"), list("(|(=*", "(|(uid=x*", "(|(u-d=*", "(&(uid=*")},
	{XSS, list("<script>", "<SCRIPT\nsrc=x>", "<ſcript>"), list("<script", "> <script", "< script>")},
	{XSS, list("alert(", "x;ALERT(x"), list("xalert(", "alert")},
	{XSS, list("xalert(1", "confirm(٣", "prompt(0"), list("xalert(x", "confirm(-1", "prompt (1")},
	{XSS, list("confirm(document.cookie", "xprompt(DOCUMENT."), list("confirm(document", "confirm( document.")},
	{XSS, list("confirm(response.write(", "prompt(response.write(1"), list("confirm(response.write", "confirm(response write(")},
	{XSS, list("confirm('xss", "prompt(/\n/XſS"), list("confirm('axss", "confirm(x ss")},
	{XSS, list("onmouseover=a(", "xONMOUSEOVER=alert (1"), list("onmouseover=(", "onmouseover=a&b(")},
	{XSS, list("onerror=((", "onerror=onerror=x("), list("onerror=a;b(", "onerror =a(")},
	{XSS, list("onfocus=x y(", "onfocus=&onfocus=x("), list("onfocus=a\nb(", "onfocus=&(")},
	{XSS, list("ontransitionend=1(", "ONTRANSITIONEND=éé("), list("ontransitionend=1", "ontransition=1(")},
	{XXE, list("[<!ENTITY", "a[<!entity x"), list("[<!element", "[ <!entity", "<!entity")},
	{SSTI, list("${a}", "${}}", "${\n}", "${{a}&b}"), list("${{&a}b}", "${}", "${&a}", "${a&b}", "$ {a}", "${")},
	{SSTI, list("${{7*7}}", "${{a&b}}", "${{}}"), list("${{a&b}", "{{a&b}}", "}}${{a&")},
	{DataLeakage, list("imei=123456789012345", "xIMEI=1234567890123456"), list("imei=12345678901234", "imei:123456789012345")},
	{DataLeakage, list("imsi=123456789012345", "imſi=١23456789012345"), list("imsi=12345678901234a", "ims=123456789012345")},
	{DataLeakage, list("iccid=a23456789012345678", "iccid=12345678901234567890123"), list("iccid=12345678901234567", "iccid=1234567890123456-8")},
	{DataLeakage, list("mac=00:11:22:aa:BB:cc", "::mac=00:11:22:33:44:55:66"), list("mac=00:11:22:33:44", "mac=00-11-22-33-44-55", "mac=0:11:22:33:44:55", "mac=00:11:22:33:44:5g", "mac:00:11:22:33:44:55")},
	{DataLeakage, list("macaddress=00:11:22:33:44:55", "xMACADDRESS=00:11:22:33:44:55"), list("macaddr=00:11:22:33:44:55", "macaddress =00:11:22:33:44:55")},
	{DataLeakage, list("sid=00:11:22:33:44:55", "bssid=00:11:22:33:44:55"), list("sid=00:11:22:33:44:5", "id=00:11:22:33:44:55")},
	{DataLeakage, list("sim=12345678901234567890", "?SIM=123456789012345678901"), list("sim=1234567890123456789", "sim=1234567890123456789x")},
	{DataLeakage, list("a@b.c a@b.c a@b.c a@b.c", "a@b.cc@d.ef@g.hi@j.k", strings.Repeat("x@y.z"+strings.Repeat("é", 100), 4)), list("a@b.c a@b.c a@b.c a@b", "a@b.c@d.e@f.g", strings.Repeat("x@y.z"+strings.Repeat("é", 101), 4), "a@b1a@b1a@b1a@b.c")},
	{DataLeakage, list("telnum=1", "xTELNUM=-"), list("telnum=", "telnum=+1")},
	{DataLeakage, list("telcompany=a", "telcompany=ſ"), list("telcompany=é", "telcompany")},
	{ConfigFile, list(".htaccess", "/x.HTACCESS.bak"), list("htaccess", ".ht access")},
	{ConfigFile, list(".htpasswd", "a.htpaſſwd"), list(".htpasswor", ".htpass")},
	{ConfigFile, list("wp-config.php", "/WP-CONFIG.PHP~"), list("xwp-config.php", "wp-config-php")},
	{RCE, list("$_REQUEST[", "$_get[x", "a$_POST["), list("$REQUEST[", "$_put[")},
	{RCE, list("xp_cmdshell", "SHELL_EXEC", "exec_code", "shell:::{", "myoscmd(", "tftp -i", "wget http://x", "curl -O"), list("xp_cmd", "shell-exec", "exec code", "shell::{", "oscmd", "tftp x", "wget  http", "curl -x")},
	{RCE, list("sh /tmp/x", "touch /tmp/x", "cmd.exe", "2>&1", "base64 -d", "ms-msdt:", "mhtml:ftp:", "base64:JHtqbmRp", "ipconfig"), list("sh /temp/", "touch tmp/", "cmdexe", "1>&2", "base64 -x", "ms-msd:", "mhtml:http:", "base64:JHtqbmR", "ifconfig")},
	{RCE, list("net config", "net view", "nltest", "netsh firewall", "netsh wlan", "${IFS}", "getRuntime().exec(", "x.execSync("), list("netconfig", "net  view", "nl test", "netsh", "netsh lan", "$IFS", "getRuntime.exec(", "execSync(")},
	{RCE, list("ping -n 1", "ping.exe -c ٣", ";PING -c 4"), list("mapping -n 1", "ping -n x", "ping -t 1", "ping.com -n 1", "ping  -n 1")},
	{RCE, list("timeout /T", "timeout.exe /t 5"), list("timeout -t", "timeout.exe/t")},
	{RCE, list("/bin/sh", "/bin/bash -i", "x/sbin/launchd;"), list("/bin/shx", "/bin/bash_", "/sbin/launchdé", "bin/sh")},
	{RCE, list("cat /etc", ";ls /", "é cat /"), list("concat /", "tools /", "cat x", "écat /")},
	{RCE, list("chmod 777", "CHMOD 0644;", "chmod 000"), list("chmod 77", "chmod 7777x", "chmod 07777", "chmod 788", "chmod  777")},
	{RCE, list("chmod x", "chmod   x y", "chmod +x", "xchmod  +x /tmp"), list("chmod xx", "chmod+x", "chmod ++x", "chmod -x", "chmod\tx")},
	{RCE, list("nc -l -p 1", "rsync -l -p 1"[3:], "xnc -l -p 80"), list("nc -l -p x", "nc -lp 80")},
	{RCE, list(">/dev/null", "> \t\n/dev/null"), list("/dev/null", "x /dev/null", "> x/dev/null")},
	{RCE, list("-d allow_url_include", "-D safe_mode", "-d auto_prepend_file=x"), list("-d allow_url", "-d  safe_mode", "d auto_prepend_file", "-d x safe_mode")},
	{RCE, list("jndi:ldap", "jndi:corba", "JNDI:DNS", "jndi:http", "jndi:iiop", "jndi:nds", "jndi:nis", "jndi:ldaps", "jndi:rmi"), list("jndi:", "jndi:ftp", "jndi ldap", "jndi: rmi")},
	{Traversal, list("../../../", "..\\..\\/....//", "x.../..//..\\"), list("../../..", "../.././", "../../x../", "././././")},
	{Traversal, list("/etc/passwd", "/ETC/shadow", "/etc/group", "/etc/issue", "/etc/hostname", "/etc/hosts", "/etc/sudoers"), list("/etc/pass", "etc/passwd", "/etc//passwd", "/etc/host")},
	{Traversal, list("/boot.ini", "\\system.ini", "c:\\WIN.INI"), list("boot.ini", "xwin.ini", "/system_ini")},
	{Traversal, list("/system32", "\\SYSTEM32/x"), list("system32", "/system32x", "/system_32")},
	{Traversal, list("%SYSTEMROOT%", "x%systemroot%y"), list("%systemroot", "systemroot%")},
	{WebScan, list("acunetix_wvs_x", "injected_by_wvs_", "SomeCustomInjectedHeader", "some_inexistent_file_with_long_name", "testasp.vulnweb.com/t/fit.txt", "www.acunetix.tst"), list("acunetix_wvs", "injected_by_wv", "someinjectedheader", "some_inexistent_file", "testasp.vulnweb.com", "www.acunetix.test")},
	{WebScan, list("x.bxss.me", "thishouldnotexistandhopefullyitwillnot", "OWASP%20ZAP", "owasp%1zap", "chr(122).chr(97).chr(112)"), list("bxss.me", "thisshouldnotexist", "owasp%zap", "owasp zap", "chr(122)chr(97)")},
	{WebScan, list("Vega-Inject", "VEGA123", "vega.invalid", "PUT-putfile", "w00tw00t", "muieblacKcat"), list("vega", "vega12", "vega-invalid", "put-file", "w00t", "muieblack")},
	{DNSChanger, list(strings.Fields("dhcpPriDns= dhcpSecDns= staticPriDns= staticSecDns= staticThiDns= PriDnsv6= SecDnsv6= ThiDnsv6= staticPriDnsv6= staticSecDnsv6= staticThiDnsv6= dnsipv4= dns2ipv4= dnsipv6= dns2ipv6= pppoePriDns= pppoeSecDns= wan_dns1= wan_dns2=")...), list("xdhcpPriDns=", "PriDns=", "dnsipv5=", "wan_dns3=", "dns2ipv4")},
	{DNSChanger, list(strings.Fields("dnsPrimary= dnsSecondary= dnsDynamic= dnsRefresh= DNS_FST= DNS_SND= dnsserver= dnsserver1= dnsserver2= dns_server_ip_1= dns_server_ip_2= dns_server_ip_3= dns_server_ip_4= dns1= dns2= dns3= dns4= dns1_1= dns1_2= dns1_3= dns1_4= dns2_1= dns2_2= dns2_3= dns2_4=")...), list("dns=", "dns5=", "dns3_1=", "dnsserver3=", "mydns1=", "dns_server_ip_5=", "édns1=", "dns1 =")},
	{DNSChanger, list(strings.Fields("wan_dns_x= wan_dns1_x= wan_dns2_x= wan_dns3_x= wan_dns4_x= wan_dnsenable_x= dns_status= p_DNS= a_DNS= uiViewDns1Mark= uiViewDns2Mark= uiViewDNSRelay= is_router_as_dns= Enable_DNSFollowing= domainserverip= DSEN= DNSEN= dnsmode= dnſmode=")...), list("wan_dns5_x=", "b_dns=", "uiviewdns3mark=", "xdomainserverip=", "hdsen=", "dnsens=", "dnsmode", "is_router_as_dns_")},
	{DNSChanger, list("?dns%5Bserver1%5D=", "dns%5bSERVER2%5d="), list("dns%5Bserver3%5D=", "xdns%5Bserver1%5D=", "dns%5Bserver1%5D")},
}

func list(texts ...string) []string { return texts }

// around puts a text at even and odd places, at the start and at the end. A
// blank separates words.
func around(text string) []string {
	return []string{text, " " + text, "  " + text, text + " ", "/index.html?a=b& " + text + " &c=d and so on", "/indexes.html?a=b& " + text + " &c=d and so on", "é " + text}
}

func TestCases(t *testing.T) {
	all, m := compiled(), NewMatcher()
	for _, c := range cases {
		if len(c.yes) < 2 || len(c.no) < 2 {
			t.Errorf("%s: too few texts in %q, %q", c.category, c.yes, c.no)
		}
		for _, text := range c.yes {
			for _, text := range around(text) {
				if !m.Matches([]byte(text), c.category) {
					t.Errorf("%q is no %s", text, c.category)
				}
				compare(t, m, &all, []byte(text))
			}
		}
		for _, text := range c.no {
			if m.Matches([]byte(text), c.category) {
				t.Errorf("%q is %s", text, c.category)
			}
			for _, text := range around(text) {
				compare(t, m, &all, []byte(text))
			}
		}
	}
}

// TestOrder: the first category that a text meets counts, wherever it stands.
func TestOrder(t *testing.T) {
	m := NewMatcher()
	for text, want := range map[string]Category{
		"":                                    None,
		"/":                                   None,
		"/index7.html?id=7":                   None,
		"?cmd=;cat /etc/passwd;":              RCE,
		"?file=../../../../etc/passwd":        Traversal,
		"w00tw00t /etc/passwd or 1=1":         SQLInjection,
		"dns1=1&${a}&<script>":                XSS,
		"${jndi:ldap://x}":                    SSTI,
		"id=1 union all select a,b from c":    SQLInjection,
		"<?php /text()='":                     XMLInjection,
		"a /* b */ or (|(x=*":                 SQLInjection,
		"/* (|(x=*":                           LDAPInjection,
		".htaccess imei=123456789012345":      DataLeakage,
		"muieblackcat&dns1=":                  WebScan,
		strings.Repeat("../", 200) + "or 1=1": SQLInjection,
	} {
		if got := m.Match([]byte(text)); got != want {
			t.Errorf("Match(%q) = %s, want %s", text, got, want)
		}
	}
	if m.Matches([]byte("or 1=1"), None) || m.Matches([]byte("or 1=1"), categories) {
		t.Error("a text meets no category at all")
	}
	if None.Info() != "" || SQLInjection.Info() != "potential sql injection" || ConfigFile.Info() != "config file access" || DNSChanger.Info() != "potential dns changer" {
		t.Error("names of categories")
	}
}

// TestBrowsers: what browsers ask for meets nothing.
func TestBrowsers(t *testing.T) {
	all, m := compiled(), NewMatcher()
	for _, text := range browserTexts {
		compare(t, m, &all, []byte(text))
		if got := m.Match([]byte(text)); got != None {
			t.Errorf("Match(%q) = %s", text, got)
		}
	}
}

// TestBorders puts a character beyond ASCII where the filter stops to have its
// places looked at: what stands before must not be judged without it.
func TestBorders(t *testing.T) {
	all, m := compiled(), NewMatcher()
	for n := range 40 {
		for _, before := range []string{"", "x", "xy", "xyz", "wxyz", "vwxyz"} {
			text := []byte(before + strings.Repeat(" or dns1 ", n) + "drop tableé" + strings.Repeat(" or", 30))
			if got, want := m.Matches(text, SQLInjection), all[SQLInjection].Match(text); got != want {
				t.Errorf("Matches(%q) = %v, the expression says %v", text, got, want)
			}
			text = []byte(before + strings.Repeat("/bin/shx ", n) + "/bin/shé" + strings.Repeat(" or", 30))
			if m.Matches(text, RCE) {
				t.Errorf("Matches(%q) without the last character", text)
			}
		}
	}
}

// TestMatchMarked: a text without rare characters meets the same, told so or not.
func TestMatchMarked(t *testing.T) {
	m := NewMatcher()
	for _, c := range cases {
		for _, text := range append(slices.Clone(c.yes), c.no...) {
			rare := strings.ContainsAny(text, "*$:@")
			if got, want := m.MatchMarked([]byte(text), rare), m.Match([]byte(text)); got != want {
				t.Errorf("%q: %v, not %v", text, got, want)
			}
		}
	}
}

package attack

import "testing"

// programs are the extensions of programs.
var programs = [...]string{
	".apk", ".bin", ".chm", ".class", ".dll", ".egg", ".exe", ".hta", ".hwp", ".lnk",
	".msi", ".pif", ".ps1", ".pyz", ".scr", ".sct", ".vsto", ".wbk", ".xpi",
}

func TestDownload(t *testing.T) {
	for _, extension := range programs {
		for _, target := range []string{"/setup" + extension, "/a/b.c/123456789" + extension + "?x", "x" + extension + "#a=b"} {
			got, ok := FileOf([]byte(target), true).Download()
			if want := target != "/a/b.c/123456789.bin?x" || extension == ".bin"; ok != want || got != extension {
				t.Errorf("Download(%q) = %q, %v", target, got, ok)
			}
		}
	}
	for target, want := range map[string]string{
		"/..a.exe": ".exe", "/ééééééééé.exe": ".exe", "/a.tar.exe": ".exe", "/bina.exe": ".exe", "/a.exe?": ".exe", "/a.exe#?b=c": ".exe", ".a.exe": ".exe",
		"/a.exe/": "", "/.exe": "", "/...exe": "", "/1234567890.exe": "", "/a.exe?b=c": "", "/a.exe?b#c=d": ".exe", "/exe": "", "/a.ex": "", "/a.exes": "", "/a.zip": "", "/a.exe.txt": "",
		"/a?b.exe": "", "/a#b.exe": "", "/cgi/a.exe": "", "/a.exe?cgi": "", "/scripts/a.exe": "", "/_vti_bin/a.dll": "", "/bin/a.exe": "", "/pub/softpaq/a.exe": "", "/bios/a.exe": "",
		"/pc-axis/a.exe": "", "/a/pc-axis/b/a.exe": "", "": "", "/": "", ".": "", "a.": "",
	} {
		if got, ok := FileOf([]byte(target), true).Download(); got != want || ok != (want != "") {
			t.Errorf("Download(%q) = %q, %v; want %q", target, got, ok, want)
		}
	}
}

func TestScanFile(t *testing.T) {
	for target, want := range map[string]string{
		"/defaultwebpage.cgi":                         "non-existent page",
		"/x/aDefaultWebPage.cgi1?x":                   "non-existent page",
		"/inexistent_file_name.inexistent0123.cfm":    "potential web scan",
		"/a.b/x-test-for-some-inexistent-file":        "potential web scan",
		"/LONG_inexistent_path.":                      "potential web scan",
		"/some-inexistent-website.acu/":               "",
		"/some-inexistent-website.acu":                "potential web scan",
		"/test-for-some-inexistent-file?a.b":          "potential web scan",
		"/test-for-some-inexistent-file":              "", // no dot anywhere
		"/long_inexistent_path/x.html":                "",
		"/x?defaultwebpage.cgi":                       "",
		"/defaultwebpage.cg":                          "",
		"/inexistent_file_name.inexisten":             "",
		"/an-inexistent-page-of-somebody.html":        "",
		"":                                            "",
		"/x.y?long_inexistent_path":                   "",
		"/test-for-some-inexistent-file#defaultpage.": "potential web scan",
	} {
		if got, ok := FileOf([]byte(target), true).ScanFile(); got != want || ok != (want != "") {
			t.Errorf("ScanFile(%q) = %q, %v; want %q", target, got, ok, want)
		}
	}
}

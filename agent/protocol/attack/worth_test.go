package attack

import "testing"

func TestExempt(t *testing.T) {
	for _, text := range []string{
		"/fql?q=1", "/a?yql", "ads", "/ads/x", "/x?a=ADS&b", "/a_ads_b", "../images/", "/x/../THEMES/y", "../design/", "../scripts/",
		"../assets/", "../core/", "../js/", "/gwx/", "/a?b=/GWX/c", "/....../js/", "/uploads/ads", "/downloads.ads.",
	} {
		if !Exempt([]byte(text)) {
			t.Errorf("%q is not exempt", text)
		}
	}
	for _, text := range []string{
		"", "/", "/uploads/x?a=1", "/downloads", "heads", "/ads1", "/1ads", "/éads", "adsé", "/fqls", "ayql", "/images/", "../image/", "../js",
		"/gwx", "gwx/", "fq", "/ad s", "../", "/adſ/",
	} {
		if Exempt([]byte(text)) {
			t.Errorf("%q is exempt", text)
		}
	}
}

func TestWorth(t *testing.T) {
	for _, text := range []string{
		"/?", "/a=", "a b", "it's", "/..", "/.htaccess", "/.HTx", "/etc/passwd", "/x/ETC/x", "/wp-config.php", "xwp-config.php", "...", "/index.html",
	} {
		if !Worth([]byte(text)) {
			t.Errorf("%q is not worth it", text)
		}
	}
	for _, text := range []string{"", "/", "/index.php", ".", "/.h", "/.git", "/etc", "etc/", "/wp-config", "/a.b.c", "\"\t+&;"} {
		if Worth([]byte(text)) {
			t.Errorf("%q is worth it", text)
		}
	}
}

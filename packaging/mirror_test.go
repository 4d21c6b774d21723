package packaging_test

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// inRelease is what `apt-get update --print-uris` says of a source: where it is
// and which release of it.
var inRelease = regexp.MustCompile(`(?m)^'((?:https?|file):[^' ]+?)/?/dists/([^'/ ]+)/InRelease'`)

// mirrors says where a release of Debian may be fetched: from the sources that
// this machine's own apt is configured with, those of that release first. What
// follows a dash (-updates, -security) is not a whole release, and a source that
// is not Debian's fails its signature. Last comes "", debootstrap's own choice.
func mirrors(uris, release string) (list []string) {
	var other []string
	for _, m := range inRelease.FindAllStringSubmatch(uris, -1) {
		switch {
		case m[2] == release:
			list = append(list, m[1])
		case !strings.Contains(m[2], "-"):
			other = append(other, m[1])
		}
	}
	var once []string
	for _, mirror := range append(append(list, other...), "") {
		if !slices.Contains(once, mirror) {
			once = append(once, mirror)
		}
	}
	return once
}

// aptSources lists the sources of this machine's apt; none where there is no apt.
func aptSources() string {
	out, _ := exec.Command("apt-get", "update", "--print-uris").Output()
	return string(out)
}

// aptProxy is the environment with the proxy that apt uses: debootstrap fetches
// with wget, which does not read apt's configuration.
func aptProxy() []string {
	env := os.Environ()
	for variable, key := range map[string]string{"http_proxy": "Acquire::http::Proxy", "https_proxy": "Acquire::https::Proxy"} {
		if os.Getenv(variable) != "" {
			continue
		}
		out, err := exec.Command("sh", "-c", `eval "$(apt-config shell proxy "$1")" && printf %s "$proxy"`, "sh", key).Output()
		if proxy := string(out); err == nil && proxy != "" && proxy != "DIRECT" {
			env = append(env, variable+"="+proxy)
		}
	}
	return env
}

func TestMirrors(t *testing.T) {
	const uris = `'http://mirror.invalid/debian/dists/bookworm/InRelease' mirror.invalid_debian_dists_bookworm_InRelease 0 
'http://mirror.invalid/debian/dists/bookworm-updates/InRelease' mirror.invalid_debian_dists_bookworm-updates_InRelease 0 
'http://mirror.invalid/debian-security/dists/bookworm-security/InRelease' mirror.invalid_debian-security_dists_bookworm-security_InRelease 0 
'https://tool.invalid/dists/stable/InRelease' tool.invalid_dists_stable_InRelease 0 
'file:/srv/debian/dists/trixie/InRelease' _srv_debian_dists_trixie_InRelease 0 
'http://mirror.invalid/debian/dists/trixie/InRelease' mirror.invalid_debian_dists_trixie_InRelease 0 
'cdrom:[Debian]/dists/bookworm/InRelease' x 0 
`
	for _, c := range []struct {
		uris, release string
		want          []string
	}{
		{uris, "bookworm", []string{"http://mirror.invalid/debian", "https://tool.invalid", "file:/srv/debian", ""}},
		{uris, "trixie", []string{"file:/srv/debian", "http://mirror.invalid/debian", "https://tool.invalid", ""}},
		{"", "bookworm", []string{""}},
		{"E: no permission", "bookworm", []string{""}},
	} {
		if got := mirrors(c.uris, c.release); !slices.Equal(got, c.want) {
			t.Errorf("mirrors of %s: %q, want %q", c.release, got, c.want)
		}
	}
}

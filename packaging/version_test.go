package packaging_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// version makes a repository with the tags and commits that are asked for and
// gives what version.sh says of it.
func version(t *testing.T, steps string) string {
	t.Helper()
	needs(t, "git")
	dir := t.TempDir()
	script, err := os.ReadFile("version.sh")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"packaging/version.sh":      string(script),
		"cmd/trailhound/version.go": "package main\n\nvar version = \"0.3.0-dev\"\n",
	} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("sh", "-ec", steps+"\nsh packaging/version.sh")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir),
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@invalid", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@invalid",
		"GIT_AUTHOR_DATE=2026-01-02T03:04:05+0100", "GIT_COMMITTER_DATE=2026-01-02T03:04:05+0100", "TZ=Asia/Tokyo")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestVersion(t *testing.T) {
	const repository = "git init -q .; git add .; git commit -qm one; "
	const another = "git commit -q --allow-empty -m more; "
	for _, c := range []struct{ name, steps, want string }{
		{"no repository", "", `0\.3\.0~dev`},
		{"no tag", repository, `0\.3\.0~git20260102020405\.[0-9a-f]{7}`},
		{"tag", repository + "git tag v0.3.0", `0\.3\.0`},
		{"release candidate", repository + "git tag v0.3.0-rc1", `0\.3\.0~rc1`},
		{"after a tag", repository + "git tag v0.3.0; " + another + another, `0\.3\.0\+2\.g[0-9a-f]+`},
		{"after a candidate", repository + "git tag -am x v0.3.0-rc1; " + another, `0\.3\.0~rc1\+1\.g[0-9a-f]+`},
		{"another kind of tag", repository + "git tag nightly", `0\.3\.0~git20260102020405\.[0-9a-f]{7}`},
		{"changed", repository + "git tag v0.3.0; echo >>cmd/trailhound/version.go", `0\.3\.0\+dirty`},
	} {
		if got := version(t, c.steps); !regexp.MustCompile("^" + c.want + "$").MatchString(got) {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// Both package managers sort the versions as they came about.
func TestVersionOrder(t *testing.T) {
	goal(t)
	order := []string{"0.2.9", "0.3.0~dev", "0.3.0~git20260102020405.abcdef0", "0.3.0~git20260102020406.0123456", "0.3.0~rc1", "0.3.0~rc1+1.g0123456",
		"0.3.0~rc2", "0.3.0", "0.3.0+2.gabcdef0", "0.3.0+10.g0123456", "0.3.1"}
	for i := 1; i < len(order); i++ {
		older, newer := order[i-1], order[i]
		if out, code := run(t, "dpkg", "--compare-versions", older+"-1", "lt", newer+"-1"); code != 0 {
			t.Errorf("dpkg: %s is not older than %s %s", older, newer, out)
		}
		if out, _ := run(t, "rpm", "--eval", `%{lua: print(rpm.vercmp("`+older+`", "`+newer+`"))}`); strings.TrimSpace(out) != "-1" {
			t.Errorf("rpm: %s is not older than %s: %s", older, newer, out)
		}
	}
}

// The Debian changelog is made of CHANGELOG.md.
func TestChangelog(t *testing.T) {
	needs(t, "awk")
	cmd := exec.Command("awk", "-v", "version=0.2.0~rc1-1", "-v", "date=Fri, 02 Jan 2026 03:04:05 +0000", "-v", "maintainer=A <a@invalid>", "-f", "changelog.awk")
	cmd.Stdin = strings.NewReader(`# Changelog

Text that is not an entry.

## [Unreleased]

To become 0.2.0.

### Added

- ` + "`trailhound run`" + `: a service, see [the documents](docs/architecture.md), with a text so long that it has to go on in
  another line.
- Short.

## [0.1.0] - 2026-01-01

- First.

## [0.0.2-rc1] - 2024-02-29
`)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := `trailhound (0.2.0~rc1-1) stable; urgency=medium

  * trailhound run: a service, see the documents, with a text so long that it
    has to go on in another line.
  * Short.

 -- A <a@invalid>  Fri, 02 Jan 2026 03:04:05 +0000

trailhound (0.1.0-1) stable; urgency=medium

  * First.

 -- A <a@invalid>  Thu, 01 Jan 2026 00:00:00 +0000

trailhound (0.0.2~rc1-1) stable; urgency=medium

  * No change that a user would notice.

 -- A <a@invalid>  Thu, 29 Feb 2024 00:00:00 +0000
`
	if string(out) != want {
		t.Errorf("changelog:\n%s\nwant:\n%s", out, want)
	}
}

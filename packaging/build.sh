#!/bin/sh
# Builds the packages into dist/: packaging/build.sh ARCH...
#
# ARCH is amd64 or arm64. VERSION, if set, is what the program says of itself (see
# the Makefile). The same commit gives the same bytes: time, order, owners and modes
# come from here, not from the host.
set -eu
cd "$(dirname "$0")/.."
umask 022
export LC_ALL=C TZ=UTC0 CGO_ENABLED=0 GOOS=linux

if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
	SOURCE_DATE_EPOCH=
	[ ! -e .git ] || SOURCE_DATE_EPOCH=$(git log -1 --no-show-signature --format=%ct 2>/dev/null) || SOURCE_DATE_EPOCH=
	[ -n "$SOURCE_DATE_EPOCH" ] || SOURCE_DATE_EPOCH=$(stat -c %Y CHANGELOG.md)
fi
PACKAGE_VERSION=${PACKAGE_VERSION:-$(packaging/version.sh)}
PACKAGE_MAINTAINER='The Trailhound developers <packages@trailhound.invalid>'
export SOURCE_DATE_EPOCH PACKAGE_VERSION PACKAGE_MAINTAINER

ldflags="-s -w${VERSION:+ -X main.version=$VERSION}"
work=bin/package
rm -rf "$work"
mkdir -p "$work/tools" dist

# Two programs that run here, whatever they are built for.
host=$(go env GOHOSTARCH)
GOOS=$(go env GOHOSTOS) GOARCH=$host go build -modfile=tools/go.mod -o "$work/tools/" github.com/goreleaser/nfpm/v2/cmd/nfpm
GOOS=$(go env GOHOSTOS) GOARCH=$host go build -trimpath -ldflags "$ldflags" -o "$work/tools/" ./cmd/trailhound

# licenses prints name and text of the licence of each module in the program.
licenses() {
	go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}' ./cmd/trailhound | sort -u |
		while read -r module version dir; do
			for file in "$dir"/LICENSE* "$dir"/COPYING* "$dir"/NOTICE*; do
				[ -f "$file" ] || continue
				printf '=== %s %s: %s\n\n' "$module" "$version" "${file##*/}"
				cat "$file"
				printf '\n'
			done
		done
	printf '=== Go %s: LICENSE\n\n' "$(go env GOVERSION)"
	cat "$(go env GOROOT)/LICENSE"
}

# documents prints a line of nfpm.yaml for each document of an rpm.
documents() {
	for file in "$STAGE"/man/*.1.gz docs/*.md packaging/systemd/examples/*.conf; do
		case $file in
		*.1.gz) to=man/man1 ;;
		*.md) to=doc/trailhound/docs ;;
		*.conf) to=doc/trailhound/examples ;;
		esac
		printf '  - {src: "%s", dst: "/usr/share/%s/%s", type: doc, packager: rpm, file_info: {mode: 0644}}\n' "$file" "$to" "${file##*/}"
	done
}

for arch; do
	case $arch in
	amd64 | arm64) ;;
	*) echo "packaging/build.sh: no packages for $arch" >&2; exit 64 ;;
	esac
	export STAGE="$work/$arch" PACKAGE_ARCH="$arch" GOARCH="$arch"
	mkdir -p "$STAGE/completion"
	go build -trimpath -ldflags "$ldflags" -o "$STAGE/trailhound" ./cmd/trailhound

	"$work/tools/trailhound" man "$STAGE/man"
	gzip -9n "$STAGE"/man/*.1
	for shell in bash fish zsh; do
		"$work/tools/trailhound" completion "$shell" >"$STAGE/completion/trailhound.$shell"
	done
	mv "$STAGE/completion/trailhound.zsh" "$STAGE/completion/_trailhound"

	awk -v version="$PACKAGE_VERSION-1" -v date="$(date -u -R -d "@$SOURCE_DATE_EPOCH")" -v maintainer="$PACKAGE_MAINTAINER" \
		-f packaging/changelog.awk CHANGELOG.md | gzip -9n >"$STAGE/changelog.Debian.gz"
	gzip -9nc CHANGELOG.md >"$STAGE/changelog.gz"
	licenses >"$STAGE/third-party-licenses"
	gzip -9n "$STAGE/third-party-licenses"

	documents >"$STAGE/documents"
	sed "/^  # @documents\$/r $STAGE/documents" packaging/nfpm.yaml >"$STAGE/nfpm.yaml"
	for packager in deb rpm; do
		"$work/tools/nfpm" package --config "$STAGE/nfpm.yaml" --packager "$packager" --target dist/
	done
done

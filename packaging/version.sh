#!/bin/sh
# Prints the version of the packages, in a form that deb and rpm both take and
# sort the way one would want:
#
#   tag v1.2.0                    1.2.0
#   tag v1.2.0-rc1                1.2.0~rc1                   before 1.2.0
#   5 commits after v1.2.0        1.2.0+5.g0123456            after it, before 1.2.1
#   no tag, program is 0.1.0-dev  0.1.0~git20260102030405.0123456   before 0.1.0
#   no repository either          0.1.0~dev
#
# What differs from the commit is marked with "+dirty".
set -eu
cd "$(dirname "$0")/.."

# The first "-" of a pre-release becomes "~", which sorts before the end of text.
described=
if [ -e .git ]; then
	described=$(git describe --tags --match 'v[0-9]*' 2>/dev/null) || described=
fi
if [ -n "$described" ]; then
	version=$(printf '%s\n' "${described#v}" | sed -E 's/-([0-9]+)-(g[0-9a-f]+)$/+\1.\2/; s/-/~/; s/-/./g')
else
	version=$(sed -n 's/^var version = "\([^"]*\)"$/\1/p' cmd/trailhound/version.go)
	[ -n "$version" ] || { echo 'packaging/version.sh: cmd/trailhound/version.go names no version' >&2; exit 1; }
	if [ -e .git ] && stamp=$(TZ=UTC0 git log -1 --no-show-signature --format=%cd.%h --date=format-local:%Y%m%d%H%M%S --abbrev=7 2>/dev/null); then
		version="${version%%-*}~git$stamp"
	else
		version=$(printf '%s\n' "$version" | sed 's/-/~/; s/-/./g')
	fi
fi
if [ -e .git ] && [ -n "$(git status --porcelain --untracked-files=no 2>/dev/null)" ]; then
	version=$version+dirty
fi
printf '%s\n' "$version"

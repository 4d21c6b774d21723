#!/bin/sh
# unpack.sh DIR: puts syslog-ng below DIR, from Debian's packages and without installing them: syslog-ng-core cannot be
# installed beside rsyslog. Does nothing when it is there already.
set -eu
[ $# = 1 ] || { echo "usage: unpack.sh DIR" >&2; exit 64; }
[ -x "$1/usr/sbin/syslog-ng" ] && exit 0
mkdir -p "$(dirname "$1")"
work=$(mktemp -d "$1.XXXXXX")
trap 'rm -rf "$work"' EXIT
fetch() (
	mkdir -p "$work/packages" && cd "$work/packages" &&
		apt-get -qq -o APT::Sandbox::User=root download libglib2.0-0 libivykis0 libpcre3 libwrap0 libjson-c5 libnet1 syslog-ng-core
)
# An image may come without apt's lists, or with old ones.
fetch 2>/dev/null || { apt-get -qq update && fetch; } || { echo "unpack.sh: apt-get cannot fetch syslog-ng" >&2; exit 1; }
for package in "$work"/packages/*.deb; do dpkg -x "$package" "$work/root"; done
"$(dirname "$0")/run.sh" "$work/root" --version | head -1
# Whole or not at all. Another process may have been faster: its result is as good.
[ -x "$1/usr/sbin/syslog-ng" ] || { rm -rf "$1" && mv -T "$work/root" "$1"; }

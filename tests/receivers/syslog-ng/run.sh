#!/bin/sh
# run.sh ROOT ARGUMENTS...: runs the syslog-ng that unpack.sh put below ROOT; / for one that is installed.
set -eu
root=${1%/}
shift
set -- --module-path="$(echo "$root"/usr/lib/syslog-ng/*/ | cut -d' ' -f1)" "$@"
libraries=$(ls -d "$root"/usr/lib/*-linux-gnu "$root"/lib/*-linux-gnu "$root"/usr/lib/syslog-ng "$root"/usr/lib/syslog-ng/* 2>/dev/null | tr '\n' ':')
[ -z "$root" ] || export LD_LIBRARY_PATH="$libraries"
exec "$root/usr/sbin/syslog-ng" "$@"

#!/bin/sh
# run.sh DIR: runs rsyslogd with DIR/rsyslog.conf in the foreground; no privilege is needed. Debian has it in the packages
# rsyslog and rsyslog-openssl.
set -eu
mkdir -p "$1/spool"
exec "$(command -v rsyslogd || echo /usr/sbin/rsyslogd)" -n -f "$1/rsyslog.conf" -i "$1/rsyslogd.pid"

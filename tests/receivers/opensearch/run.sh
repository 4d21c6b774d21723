#!/bin/sh
# Runs the node that pom.xml builds until it is killed or its standard input ends:
# run.sh DIST HOME HTTP_PORT TRANSPORT_PORT [setting=value ...]
# Prints a line that begins with READY when it answers. HOME/data outlives it.
dist=$1
shift
exec java -Xms256m -Xmx"${HEAP:-512m}" -XX:TieredStopAtLevel="${TIER:-1}" -XX:+UseSerialGC -cp "$dist/lib/*" receiver.OpenSearch "$@"

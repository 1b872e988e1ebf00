#!/bin/sh
# Says in one line what `make test-aws` needs and this machine lacks.
missing=
need() { command -v "$1" >/dev/null 2>&1 && eval "$3" >/dev/null 2>&1 || missing="$missing, $2"; }
need java 'Java 17 or newer (a JDK)' 'test "$(java -version 2>&1 | sed -n "s/.* version \"\([0-9]*\).*/\1/p")" -ge 17 &&
  java --list-modules | grep -q ^jdk.compiler'
need mvn Maven :
need node 'Node 20 or newer' 'test "$(node --version | sed "s/^v\([0-9]*\).*/\1/")" -ge 20'
need go Go :
test -z "$missing" || { echo "make test-aws needs: ${missing#, }" >&2; exit 1; }

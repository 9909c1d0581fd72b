#!/bin/sh
# A C compiler and the headers of a Python, installed when root and named otherwise: tools/compiler.sh PYTHON
set -eu
python=$1
lacking() {
    missing=
    command -v cc >/dev/null 2>&1 || missing="$missing gcc"
    "$python" -c 'import os, sysconfig, sys
sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))' || missing="$missing python3-dev"
}
lacking
if [ -n "$missing" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing libc6-dev >/dev/null
    lacking
fi
if [ -n "$missing" ]; then
    echo "nothing can be compiled for $python; missing:$missing. As root: apt-get install$missing" >&2
    exit 1
fi

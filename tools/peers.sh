#!/bin/sh
# What `make bench` needs beside Python: wrk, nginx, and for uWSGI a compiler and Python's headers. Installed
# when root, named otherwise; a peer that cannot be built then is a line in the report, not the end of it.
set -eu
python=${PYTHON:-python3}
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "penstock needs Python 3.11 or newer; $python is $("$python" -V)" >&2
    exit 1
fi
"$(dirname "$0")/debian.sh" wrk nginx gcc
missing=
"$python" -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
"$python" -c 'import os, sysconfig, sys
sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))' || missing="$missing python3-dev"
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing libc6-dev >/dev/null || true
else
    echo "not installed:$missing; some peers cannot be built. As root: apt-get install$missing" >&2
fi

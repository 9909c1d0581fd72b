#!/bin/sh
# A virtual environment with a real uWSGI 2.0, which `make compat` compares with: tools/uwsgi.sh [FOLDER]
# Does nothing where it is there already. uWSGI is compiled: what that needs is installed when root, and
# named otherwise. One without regular expressions (routes, log-alarm) is built anew.
set -eu
folder=${1:-.venv-uwsgi}
python=${PYTHON:-python3}
case $("$folder/bin/uwsgi" --cflags 2>/dev/null || true) in
    *-DUWSGI_PCRE2*) exit 0 ;;
esac
lacking() {
    missing=
    command -v gcc >/dev/null 2>&1 || missing="$missing gcc libc6-dev"
    command -v pcre2-config >/dev/null 2>&1 || missing="$missing libpcre2-dev"
    "$python" -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
    "$python" -c 'import os, sysconfig, sys
sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))' || missing="$missing python3-dev"
}
lacking
if [ -n "$missing" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing >/dev/null
    lacking
fi
if [ -n "$missing" ]; then
    echo "uWSGI cannot be built with $python; missing:$missing. As root: apt-get install$missing" >&2
    exit 1
fi
[ -x "$folder/bin/python" ] || "$python" -m venv "$folder"
"$folder/bin/python" -m pip install -q --no-cache-dir --force-reinstall 'uwsgi>=2.0.30,<2.1'
"$folder/bin/uwsgi" --version

#!/bin/sh
# A virtual environment with penstock and what its tests and checks need: tools/venv.sh FOLDER
set -eu
folder=$1
python=${PYTHON:-python3}
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "penstock needs Python 3.11 or newer; $python is $("$python" -V)" >&2
    exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    version=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    if [ "$(id -u)" = 0 ]; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv || \
            DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$version"
    else
        echo "the venv module is missing; as root: apt-get install python3-venv" >&2
        exit 1
    fi
fi
[ -x "$folder/bin/python" ] || "$python" -m venv "$folder"
# Dependency groups are read by pip from 25.1 on.
"$folder/bin/python" -m pip install -q --upgrade 'pip>=25.1'
"$folder/bin/python" -m pip install -q --group test --group check -e .

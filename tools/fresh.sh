#!/bin/sh
# Proves a fresh machine: a clone of HEAD, an empty HOME and environment; the wheel is built, installed and
# run; `make run` serves; `make test` passes.
set -eu
top=$(git rev-parse --show-toplevel)
work=$(mktemp -d)
server=
finish() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT INT TERM
mkdir "$work/home"
git clone -q "$top" "$work/clone"
cd "$work/clone"

# Only what tells pip where packages are survives.
set -- "HOME=$work/home" "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" "LANG=C.UTF-8"
for name in $(env | sed -n 's/^\(PIP_[A-Z_]*\|SSL_CERT_FILE\|https\?_proxy\|no_proxy\)=.*/\1/p'); do
    set -- "$@" "$name=$(printenv "$name")"
done
bare() { env -i "$@"; }
answers() {
    for _ in $(seq 150); do
        if python3 -c "import urllib.request as u; u.urlopen('http://127.0.0.1:$1/', timeout=2).read()" 2>/dev/null; then
            return 0
        fi
        sleep 0.2
    done
    echo "nothing answers on port $1" >&2
    return 1
}

echo "== the wheel, built, installed and run"
tools/debian.sh nginx
bare "$@" sh -c 'python3 -c "import ensurepip" 2>/dev/null || apt-get install -y -qq python3-venv'
bare "$@" python3 -m venv "$work/build"
bare "$@" "$work/build/bin/python" -m pip install -q build
bare "$@" "$work/build/bin/python" -m build -q --wheel --outdir "$work/dist" .
bare "$@" python3 -m venv "$work/user"
bare "$@" "$work/user/bin/python" -m pip install -q "$work"/dist/penstock-*.whl
(cd "$work" && exec env -i "$@" "$work/user/bin/penstock" --chdir "$work/clone/examples" hello:application \
    --bind 127.0.0.1:8091) >"$work/wheel.log" 2>&1 &
server=$!
answers 8091 || { cat "$work/wheel.log"; exit 1; }
kill -TERM "$server"
wait "$server"
server=

echo "== make run"
bare "$@" make run >"$work/run.log" 2>&1 &
server=$!
for _ in $(seq 60); do
    if grep -q "listening on" "$work/run.log"; then break; fi
    kill -0 "$server" 2>/dev/null || break
    sleep 2
done
answers 8000 || { cat "$work/run.log"; exit 1; }
pkill -TERM -f "^$work/clone/.venv/bin/python .*penstock --chdir examples"
wait "$server" || true
server=

echo "== make test"
bare "$@" make test
echo "fresh: all passed"

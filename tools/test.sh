#!/usr/bin/env bash
# tools/test.sh PYTHON [pytest's words]: all tests, five at a time.
#
# Many of them start servers and watch the clock, on machines that others use too. Up to five that fail beside
# the others, as many as a stall of the machine finds running, are therefore tried once more by themselves, and it
# is that try which counts; each is named, so that a test which does this twice can be put right. A real fault
# fails both times.
#
# Hundreds of servers are started, and each process that runs tests reads all of them: what Python compiles is
# kept, also where the surroundings say otherwise, and made before five of them make it at once.
set -u
python=$1
shift
cache=$(mktemp -d)
trap 'rm -rf "$cache"' EXIT
run() {
    "$python" -m pytest -o cache_dir="$cache" --ignore=tests/compat \
        -m "not compat and not guards and not slow and not supervision" "$@"
}

unset PYTHONDONTWRITEBYTECODE
"$python" -m compileall -q src tests >"$cache/compiled"
if ! compgen -G 'tests/__pycache__/*-pytest-*.pyc' >"$cache/rewritten"; then
    run --collect-only -q tests/[a-e]* >"$cache/first" 2>&1 &
    run --collect-only -q tests/[f-z]* >"$cache/second" 2>&1
    wait
fi

run -n 5 --dist worksteal "$@"
code=$?
[ "$code" -eq 1 ] || exit "$code"
failed=$("$python" -c 'import json, sys; print(*json.load(open(sys.argv[1])), sep="\n")' "$cache/v/cache/lastfailed")
[ "$(wc -l <<<"$failed")" -le 5 ] || exit "$code"
printf 'failed beside the others, once more alone:\n%s\n' "$failed"
run --last-failed "$@"

#!/bin/sh
# Programs from Debian's packages: installed when root, named otherwise. tools/debian.sh PROGRAM ...
set -eu
missing=
for program in "$@"; do
    command -v "$program" >/dev/null 2>&1 || [ -x "/usr/sbin/$program" ] || missing="$missing $program"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    # Installing nginx must not start a server on port 80.
    policy=/usr/sbin/policy-rc.d
    made=
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' > $policy && chmod +x $policy && made=1
    fi
    apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing >/dev/null
    [ -z "$made" ] || rm -f $policy
else
    echo "not installed:$missing; the tests that need it are skipped. As root: apt-get install$missing" >&2
fi

#!/bin/sh
# The tests against the compiled build: its wheel is made, installed in an environment of its own, and tested
# there, where the checkout's sources are not imported. tools/compiled-test.sh PYTHON FOLDER [WORD OF PYTEST ...]
set -eu
python=$1
folder=$2
shift 2
cd "$(git -C "$(dirname "$0")" rev-parse --show-toplevel)"
wheels=$(mktemp -d)
trap 'rm -rf "$wheels"' EXIT
trap 'exit 1' INT TERM
tools/compiled.sh "$python" "$wheels"
[ -x "$folder/bin/python" ] || "$python" -m venv "$folder"
own=$(cd "$folder" && pwd)/bin/python
# Dependency groups are read by pip from 25.1 on.
"$own" -m pip install -q --upgrade 'pip>=25.1'
"$own" -m pip install -q --group test "$wheels"/penstock-*.whl
# Again, because an older one of the same version may be there.
"$own" -m pip install -q --force-reinstall --no-deps "$wheels"/penstock-*.whl
(cd "$wheels" && "$own" -c '
import importlib.machinery, sys
from penstock.handoff import pool
if not pool.__file__.endswith(tuple(importlib.machinery.EXTENSION_SUFFIXES)):
    sys.exit(f"not compiled: {pool.__file__}")')

# Left out: tests that read the sources, or count imports without an environment's own packages (the same for
# both builds), and those that put a list or a class of their own in the place of an outbox, which only the plain
# build takes for one.
"$own" -m pytest -n 5 --dist worksteal -m "not compat and not guards and not slow" \
    --ignore=tests/handoff/test_pool.py \
    --ignore=tests/handoff/test_porter.py \
    --ignore=tests/handoff/test_side_by_side.py \
    --ignore=tests/handoff/test_counts.py \
    --ignore=tests/handoff/test_deadline_traced.py \
    --deselect=tests/handoff/test_outbox.py::test_who_gives_the_lease_back_sets_nothing_after_it \
    --deselect=tests/handoff/test_post.py::test_a_backlog_opens_it_for_a_moment \
    --deselect=tests/handoff/test_post.py::test_it_stays_shut_for_a_while_where_requests_are_slow \
    --deselect=tests/net/test_firstlook.py::test_a_fault_closes_what_was_accepted \
    --deselect=tests/cli/test_check.py::test_nothing_of_weight_is_imported \
    --deselect=tests/cli/test_ctl.py::test_it_needs_no_server_s_imports \
    --deselect=tests/cli/test_main.py::test_version_needs_no_import_of_weight \
    --ignore=tests/net/test_balance.py \
    --ignore=tests/net/test_press.py \
    --ignore=tests/net/test_sight.py \
    --ignore=tests/process/sights/test_sampling.py \
    --deselect=tests/net/test_turns.py::test_the_last_one_takes_all_whatever_the_numbers_say \
    --deselect=tests/process/test_site.py::test_a_request_that_no_rule_can_be_for_has_a_plain_reply \
    --deselect=tests/net/test_door.py::test_every_tick_looks_at_who_holds_a_thread_while_requests_wait \
    --deselect=tests/net/test_door.py::test_what_waited_too_long_for_a_thread_is_given_back_to_its_connection \
    --ignore=tests/serve/test_answer.py \
    --ignore=tests/serve/test_identity.py \
    --ignore=tests/serve/test_races.py \
    --ignore=tests/serve/test_record.py \
    --ignore=tests/serve/test_send.py \
    --ignore=tests/serve/test_stored.py \
    --ignore=tests/serve/finish \
    --ignore=tests/serve/proxy \
    --ignore=tests/serve/routing \
    --ignore=tests/serve/static/test_every_option.py \
    --ignore=tests/serve/static/test_heads.py \
    --ignore=tests/serve/static/test_reply.py \
    --ignore=tests/serve/static/test_sending.py \
    --ignore=tests/serve/wsgi/test_armed.py \
    --ignore=tests/serve/wsgi/test_armed_steps.py \
    --ignore=tests/serve/wsgi/test_call.py \
    --ignore=tests/serve/wsgi/test_filewrapper.py \
    "$@" tests/e2e tests/core tests/codecs tests/handoff tests/net tests/serve tests/logs tests/process \
    tests/cli tests/config tests/fuzz tests/soak

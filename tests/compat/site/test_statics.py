"""Which options about files there are: uWSGI's own list of them against the cases'."""

import re
import subprocess

import pytest

from tests.compat import pair
from tests.compat.site import statics
from tests.compat.site.cases import names_in

pytestmark = [pytest.mark.compat, pytest.mark.timeout(60)]
ABOUT_FILES = re.compile(
    r"^ +--((?:check-)?static\S*|mime-?file|honour-range|offload-threads?|file-?serve-mode|disable-sendfile|"
    r"add-header)\s",
    re.MULTILINE,
)


def test_each_option_that_uwsgi_has_is_compared() -> None:
    if not pair.UWSGI.exists():
        pytest.skip(pair.MISSING)
    said = subprocess.run([str(pair.UWSGI), "--help"], capture_output=True, text=True, timeout=20, check=True)
    there = {*ABOUT_FILES.findall(said.stdout)}
    assert there == {*statics.OPTIONS}
    used = set().union(*(names_in(group.text()) for group in statics.GROUPS))
    done = {name for name in there if f"option {name}" in used}
    requests = sum(len(case.asks) for group in statics.GROUPS for case in group.cases)
    print(f"{len(done)} of {len(there)} options about files, {requests} requests")
    assert done == there

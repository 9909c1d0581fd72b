"""Actions that have nothing to do change nothing: the rules behind them run, and the reply is as it was."""

import pytest

from tests.serve.routing.ground import Ground


@pytest.mark.parametrize("rule", ["flush:", "offload:", "offload:1000", "donotoffload:"])
def test_the_reply_is_as_it_was(rule: str) -> None:
    with_it = Ground(f"route-run = {rule}\nroute-run = addvar:BEHIND=1")
    sent = with_it.serve()
    assert sent == Ground("").serve() and sent.endswith(b"app\n")
    assert with_it.environ["BEHIND"] == "1"

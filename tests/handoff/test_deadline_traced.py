"""After a deadline that came too late to be seen, nothing of it is left where somebody traces."""

import subprocess
import sys

PROGRAM = """
import sys, threading
from penstock.core.request import Request
from penstock.handoff.deadline import Aim, make_throw
from penstock.handoff.exchange import Exchange

def step(): pass

aim, x = Aim(make_throw()), Exchange(Request({}), None, None, 0.0)
aim.begin(x)
aim.arm()
loop = threading.Thread(target=aim.shoot, args=(x,))
try:
    loop.start()
    loop.join()
    aim.disarm()
except BaseException as error:
    print(type(error).__name__)
aim.end()
sys.setprofile(lambda *words: None)
step()
sys.setprofile(None)
print("traced")
"""


def test_nothing_is_left_to_be_looked_for() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=20)
    assert done.stdout.splitlines()[-1] == "traced", done.stderr

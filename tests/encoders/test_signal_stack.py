"""A process that has used OpenVINO hears signals as before."""

import subprocess
import sys

# The order in which the plugins go is the one that leaves no stack.
SIGNALLED = """
import faulthandler, gc, os, signal
from gwmorph.encoders.runtime import _core

faulthandler.enable()
first = _core()
second = _core()
del first
gc.collect()
del second
gc.collect()
signal.signal(signal.SIGTERM, lambda *_: print("heard", flush=True))
os.kill(os.getpid(), signal.SIGTERM)
print("alive")
"""


def test_a_process_whose_openvino_is_gone_hears_signals():
    command = [sys.executable, "-c", SIGNALLED]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "heard\nalive\n"), ended.stderr

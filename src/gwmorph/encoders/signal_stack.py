"""The stack that this thread handles signals on, which OpenVINO would leave unusable.

OpenVINO's plugin for processors gives the thread that loads it a stack of its own, and gives that
memory back with the plugin. Where plugins do not go in the opposite order of their coming, the
thread is left with a stack that is gone, and the next signal that Python would handle, as SIGTERM
at the end of a scan, ends the process instead.
"""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class SignalStack(ctypes.Structure):
    """Address, flags and size, as ``sigaltstack(2)`` has them on Linux."""

    _fields_ = (
        ("address", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("size", ctypes.c_size_t),
    )


def signal_stack() -> SignalStack:
    """Return the stack that the calling thread handles signals on."""
    found = SignalStack()
    ctypes.CDLL(None).sigaltstack(None, ctypes.byref(found))
    return found


@contextmanager
def signal_stack_kept() -> Iterator[None]:
    """Put the calling thread's stack for signals back at the end, whoever changed it."""
    if sys.platform != "linux":  # where OpenVINO leaves it alone
        yield
        return
    before = signal_stack()
    try:
        yield
    finally:
        ctypes.CDLL(None).sigaltstack(ctypes.byref(before), None)

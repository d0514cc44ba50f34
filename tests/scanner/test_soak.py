"""A small soak: every fault once, in some ten short blocks. ``make soak`` has hundreds."""

from soak import FAULTS, Soak


def test_every_window_is_accounted_for_and_every_event_delivered_once(tmp_path):
    outcome = Soak(tmp_path, len(FAULTS), seconds=192, wait_s=0.5, good=False).run()
    outcome.check()

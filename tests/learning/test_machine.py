"""Where a network is trained."""

import torch

from gwmorph.learning.machine import Machine, machine_of


def test_the_machine_is_that_of_the_section():
    assert machine_of("cpu", "float32", "learning") == Machine(torch.device("cpu"), torch.float32)
    told = machine_of("cpu", "bf16", "learning").to_json()
    assert told == {"device": "cpu", "precision": "bfloat16"}

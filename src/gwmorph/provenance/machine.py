"""What a run's record says of the machine: what may change last bits, and nobody's name."""

import os
import platform
import re
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")
_MODEL = re.compile(r"^(?:model name|Model|cpu model)\s*:\s*(.+)$", re.MULTILINE)


def describe_machine(cpuinfo: Path = _CPUINFO) -> dict[str, str | int]:
    """Return processor, number of cores, operating system and Python of this machine.

    Neither host nor user is among it. Where the system does not tell the processor's model, its
    architecture stands there.
    """
    return {
        "processor": _processor(cpuinfo),
        "architecture": platform.machine(),
        "cores": os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _processor(cpuinfo: Path) -> str:
    text = cpuinfo.read_text(encoding="utf-8", errors="replace") if cpuinfo.is_file() else ""
    match = _MODEL.search(text)
    return match[1].strip() if match else platform.processor() or platform.machine()

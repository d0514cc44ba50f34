"""Ask whether the locked packages have known vulnerabilities, and say what could not be asked.

``make audit`` runs it, with pip-audit in an environment of its own. pip-audit calls a package that
its database does not answer for neither good nor bad, and ends as if all were well: here it is
counted. What is found is reported and fails nothing, unless ``--strict`` is given.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def findings(report: Mapping[str, Any]) -> list[str]:
    """Return a line for each vulnerability of a report of pip-audit's."""
    return [
        f"{package['name']} {package['version']}: {fault['id']}"
        f"{' '.join(['', *fault.get('aliases', [])])}; mended in "
        f"{', '.join(fault.get('fix_versions', [])) or 'no release'}"
        for package in report["dependencies"]
        for fault in package.get("vulns", [])
    ]


def summary(report: Mapping[str, Any]) -> str:
    """Return a sentence with how many packages were looked up."""
    packages = report["dependencies"]
    asked = [package for package in packages if "skip_reason" not in package]
    found = f"{len(findings(report))} known vulnerabilities"
    if not asked:
        return (
            f"vulnerabilities: none of {len(packages)} packages could be looked up: the database "
            "cannot be reached from here. Nothing is known of them."
        )
    left = len(packages) - len(asked)
    unknown = f"; nothing is known of {left} that could not be looked up" if left else ""
    return f"vulnerabilities: {found} in {len(asked)} of {len(packages)} packages{unknown}."


def main(arguments: Sequence[str]) -> int:
    """Run pip-audit on a lock; return 1 with ``--strict`` unless all is known and good."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("auditor", help="pip-audit")
    parser.add_argument("lock", type=Path)
    parser.add_argument("--strict", action="store_true")
    options = parser.parse_args(arguments)
    call = [options.auditor, "--no-deps", "--disable-pip", "--progress-spinner", "off",
            "--timeout", "10", "--format", "json", "--requirement", str(options.lock)]  # fmt: skip
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    try:
        report = json.loads(done.stdout)
    except ValueError:
        print(f"vulnerabilities: could not be looked up: {done.stderr.strip()[-500:]}")
        return int(options.strict)
    print("\n".join([*findings(report), summary(report)]))
    good = not findings(report) and not any("skip_reason" in p for p in report["dependencies"])
    return int(options.strict and not good)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

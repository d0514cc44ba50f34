"""How many small bugs the tests notice: a random sample of what cosmic-ray can change.

cosmic-ray (``make mutants`` fetches it) knows the places where one of its operators applies, and
makes the changed source; its own runner would try all of them. Places are drawn evenly, and at
each one replacement; operators on bits are left out, which fail on any float. A mutant is tried in
a copy of ``src`` with the tests that mirror its module, then with all of its wing's and those of
how the code is written. It is killed when they fail or take too long.

A mutant that changes nothing which can be observed counts as a survivor, so 1 is out of reach.
Run as a program: ``python mutants.py [HOW_MANY]``; only a whole sample is stored.
"""

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from gwmorph.evidence.recall import wilson
from harness import Entry, machine, store

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "gwmorph"
WINGS = ("spectra", "evidence", "simulation", "morphology")
SAMPLE = 200
SEED = 79
TIMEOUT_S = 1800
_BITS = ("BitAnd", "BitOr", "BitXor", "LShift", "RShift", "Invert")


@dataclass(frozen=True)
class Mutant:
    """The ``occurrence``-th place of a module where an operator applies."""

    module: Path
    operator: str
    occurrence: int

    def __str__(self) -> str:
        return f"{self.module.relative_to(PACKAGE)} {self.operator} {self.occurrence}"

    def source(self) -> str:
        """Return the changed source."""
        from cosmic_ray.mutating import mutate_code
        from cosmic_ray.plugins import get_operator

        code = self.module.read_text(encoding="utf-8")
        changed = mutate_code(code, get_operator(self.operator)(), self.occurrence)
        assert changed is not None  # the place was counted
        return changed

    def tests(self) -> list[list[str]]:
        """Return what pytest is called with, one call after the other."""
        wing = ROOT / "tests" / self.module.parent.name
        own = wing / f"test_{self.module.stem}.py"
        others = [str(ROOT / "tests" / "test_house.py"), str(wing), f"--ignore={own}"]
        return [[str(own)], others] if own.exists() else [others]


def every_mutant() -> Iterator[Mutant]:
    """Yield all mutants of the wings, in order."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.plugins import get_operator, operator_names

    # Those with arguments want to be told what to insert.
    plain = [
        name
        for name in sorted(operator_names())
        if not get_operator(name).arguments() and not set(_BITS) & set(name.split("_"))
    ]
    operators = {name: get_operator(name)() for name in plain}
    for wing in WINGS:
        for module in sorted((PACKAGE / wing).glob("*.py")):
            nodes = list(ast_nodes(get_ast(module.read_text(encoding="utf-8"))))
            for name, operator in operators.items():
                places = sum(len(list(operator.mutation_positions(node))) for node in nodes)
                yield from (Mutant(module, name, number) for number in range(places))


def is_killed(mutant: Mutant, folder: Path) -> bool:
    """Try a mutant in this process's copy of ``src`` in a folder; it is whole again afterwards."""
    copy = folder / str(os.getpid())
    if not copy.exists():
        shutil.copytree(ROOT / "src", copy)
    place = copy / mutant.module.relative_to(ROOT / "src")
    whole = place.read_bytes()
    place.write_text(mutant.source(), encoding="utf-8")
    try:
        return any(_fail(tests, copy) for tests in mutant.tests())
    finally:
        place.write_bytes(whole)


def _fail(tests: list[str], source: Path) -> bool:
    call = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHONPATH": str(source)}
    try:
        done = subprocess.run(
            [*call, *tests],
            cwd=ROOT,
            env=environment,
            timeout=TIMEOUT_S,
            capture_output=True,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return True
    return done.returncode != 0


def sample(size: int) -> list[Mutant]:
    """Draw places, and one replacement at each."""
    places: dict[tuple[Path, str, int], list[Mutant]] = {}
    for mutant in every_mutant():
        what = mutant.operator.rpartition("_")[0] or mutant.operator
        places.setdefault((mutant.module, what, mutant.occurrence), []).append(mutant)
    rng = np.random.default_rng(SEED)
    variants = list(places.values())
    drawn = rng.choice(len(variants), size, replace=False)
    return [variants[place][rng.integers(len(variants[place]))] for place in drawn]


def tried(mutants: list[Mutant]) -> list[bool]:
    """Return which are killed, and say so while it takes; as many at a time as there are cores."""
    killed = []
    with TemporaryDirectory() as name, ProcessPoolExecutor() as pool:
        results = pool.map(partial(is_killed, folder=Path(name)), mutants)
        for mutant, dead in zip(mutants, results, strict=True):
            killed.append(dead)
            print("killed  " if dead else "survived", mutant, flush=True)
    return killed


def by_kind(survivors: list[Mutant]) -> list[str]:
    """Return lines that say how many survive of each kind of change, the most first."""
    kinds = Counter(mutant.operator.rpartition("/")[2] for mutant in survivors)
    return [f"{count:4d} {kind}" for kind, count in kinds.most_common()]


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else SAMPLE
    mutants = sample(size)
    killed = tried(mutants)
    low, high = wilson(sum(killed), len(killed))
    entry = Entry(
        name="mutants_killed",
        value=sum(killed) / len(killed),
        unit=f"of a random sample of mutants of {', '.join(WINGS)}",
        low=low,
        high=high,
        n=len(killed),
        seed=SEED,
        command="make mutants",
        machine=machine(),
    )
    print(f"{entry.value:.3f} [{low:.3f}, {high:.3f}] of {size} are killed; survivors by kind:")
    print(*by_kind([m for m, dead in zip(mutants, killed, strict=True) if not dead]), sep="\n")
    if size >= SAMPLE:
        store([entry])


if __name__ == "__main__":
    main()

"""Files that a rule gives its script."""

from pathlib import Path

import pytest
from snakemake.iocontainers import InputFiles

from gwmorph.inputs import files_of


@pytest.mark.parametrize("files", [[], ["a"], ["b", "a"]])
def test_there_may_be_several_or_one_or_none(files):
    given = InputFiles(fromdict={"views": files, "other": "c"})
    assert files_of(given, "views") == [Path(file) for file in files]
    assert files_of(given, "other") == [Path("c")]
    assert files_of(given, "missing") == []

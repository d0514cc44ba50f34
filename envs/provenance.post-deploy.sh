#!/usr/bin/env bash
# Snakemake runs this in the new environment, from the folder where it was started.
set -euo pipefail
pip install --no-deps --editable .

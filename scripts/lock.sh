#!/usr/bin/env bash
# Compiles the locks from pyproject.toml. They hold for every supported Python and platform, and spell out no address.
# What is locked stays as it is where pyproject.toml allows it. Usage: scripts/lock.sh [--upgrade-package NAME]…
set -euo pipefail
cd "$(dirname "$0")/.."

options=$*
uv=$(command -v uv || echo .uv/bin/uv)
compile() { "$uv" pip compile --quiet --universal --generate-hashes --no-header $options "$@"; }

compile --python-version 3.11 pyproject.toml -o requirements.txt
compile --python-version 3.11 pyproject.toml --extra dev -c requirements.txt -o requirements-dev.txt
compile --python-version 3.11 --group pyproject.toml:uv -o requirements-uv.txt
# local-bigquery asks for a DuckDB whose extensions are no packages; it works with the newest one whose extensions are.
echo duckdb==1.5.5 | compile --python-version 3.13 --group pyproject.toml:emulators --override - -o requirements-emulators.txt

#!/usr/bin/env bash
# Builds the emulators of BigQuery and GCS in .emulators, or does nothing where they are up to date.
# Usage: scripts/emulators.sh [bigquery|gcs]; without a name, both. Exit status 2: what has to be installed first is named.
set -euo pipefail
cd "$(dirname "$0")/.."

server=github.com/fsouza/fake-gcs-server@v1.56.1
uv=.uv/bin/uv
[ -x "$uv" ] || uv=$(command -v uv || true)
export UV_PYTHON_INSTALL_DIR="$PWD/.uv/python"

say() { printf 'emulators: %s\n' "$*" >&2; }
is_313() { "$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null; }

find_python() {
    local version
    if is_313 python3.13; then
        python3.13 -c 'import sys; print(sys.executable)'
    elif version=$(pyenv versions --bare 2>/dev/null | grep -x '3\.13\.[0-9]*' | tail -1); then
        PYENV_VERSION=$version python3.13 -c 'import sys; print(sys.executable)'
    else
        "$uv" python find --quiet --no-python-downloads 3.13 2>/dev/null \
            || { "$uv" python install --quiet --no-bin 3.13 >&2 && "$uv" python find --quiet 3.13; }
    fi
}

# The stamps are written last: without one, whatever an interrupted build left is thrown away.
build_bigquery() {
    local folder=.emulators/bigquery python
    if cmp -s requirements-emulators.txt $folder/built && is_313 $folder/bin/python; then
        return
    fi
    if [ -z "$uv" ] || ! python=$(find_python); then
        say "the emulator of BigQuery needs Python 3.13: put python3.13 on PATH (or: pyenv install 3.13)"
        return 2
    fi
    say "building the emulator of BigQuery in $folder (0.6 GB) with $python"
    rm -rf $folder
    "$uv" venv --quiet --python "$python" $folder >&2
    "$uv" pip sync --quiet --python $folder/bin/python --require-hashes --compile-bytecode requirements-emulators.txt >&2
    cp requirements-emulators.txt $folder/built.part
    mv $folder/built.part $folder/built
}

build_gcs() {
    local folder=.emulators/gcs
    if [ "$(cat $folder/built 2>/dev/null)" = "$server" ]; then
        return
    fi
    if ! command -v go >/dev/null; then
        say "the emulator of GCS needs Go 1.21 or later on PATH: install Go"
        return 2
    fi
    say "building the emulator of GCS in $folder (50 MB), about a minute"
    rm -rf $folder
    mkdir -p $folder
    GOBIN="$PWD/$folder" go install "$server" >&2
    echo "$server" >$folder/built.part
    mv $folder/built.part $folder/built
}

case $* in
    bigquery) build_bigquery ;;
    gcs) build_gcs ;;
    "")
        status=0
        for name in bigquery gcs; do scripts/emulators.sh $name || status=$?; done
        exit $status
        ;;
    *) say "no emulator $*: bigquery or gcs"; exit 2 ;;
esac

#!/usr/bin/env bash
# tools/venv.sh NAME MODULES REQUIREMENT...: a venv in build/NAME with these packages of PyPI, whose MODULES
# (separated by commas) can be imported. Exit code 3: PyPI can't be reached; what needs them is to be skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=build/$1 modules=$2
shift 2
"$folder/bin/python" -c "import $modules" 2>/dev/null && exit 0
mkdir -p build
/usr/bin/python3 -m venv "$folder"
if ! "$folder/bin/pip" install --quiet --disable-pip-version-check --retries 1 --timeout 20 "$@"; then
    rm -rf "$folder"
    echo "PyPI can't be reached; the tests against $* are skipped" >&2
    exit 3
fi

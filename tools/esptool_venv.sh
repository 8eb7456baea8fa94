#!/usr/bin/env bash
# A venv with Espressif's esptool in build/esptool. Exit code 3: PyPI can't be reached.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -x build/esptool/bin/espsecure ] && exit 0
mkdir -p build
/usr/bin/python3 -m venv build/esptool
if ! build/esptool/bin/pip install --quiet --disable-pip-version-check --retries 1 --timeout 20 'esptool==5.1.0'; then
    rm -rf build/esptool
    echo "esptool can't be installed from PyPI; the tests against it are skipped" >&2
    exit 3
fi

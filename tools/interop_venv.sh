#!/usr/bin/env bash
# A venv in build/interop with tools of other makers: Espressif's esptool, cbor2, cryptography, pycddl, and what reads
# ESP-IDF components, can-isotp, python-can, udsoncan. Exit code 3: PyPI can't be reached.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -x build/interop/bin/espsecure ] && build/interop/bin/python -c 'import cbor2, pycddl, esp_kconfiglib, isotp, can, udsoncan, msgpack' 2>/dev/null && exit 0
mkdir -p build
/usr/bin/python3 -m venv build/interop
if ! build/interop/bin/pip install --quiet --disable-pip-version-check --retries 1 --timeout 20 \
    'esptool==5.1.0' 'cbor2>=5.6,<7' 'cryptography' 'pycddl==0.6.4' 'esp-idf-kconfig>=3,<4' 'idf-component-manager>=2,<3' \
    'can-isotp>=2,<3' 'python-can>=4.5,<5' 'udsoncan>=1.25,<2' msgpack; then
    rm -rf build/interop
    echo "esptool, cbor2, pycddl, can-isotp, udsoncan and Espressif's component tools can't be installed from PyPI; the tests against them are skipped" >&2
    exit 3
fi

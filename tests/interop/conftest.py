import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests" / "integration")]


@pytest.fixture(scope="session")
def esptool_bin():
    folder = os.environ.get("ESPTOOL_BIN")
    if not folder:
        pytest.skip("esptool, cbor2 and pycddl can't be installed from PyPI here")
    return Path(folder)


@pytest.fixture(scope="session")
def interop_python(esptool_bin):
    return esptool_bin / "python"

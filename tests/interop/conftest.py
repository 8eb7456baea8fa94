import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))


@pytest.fixture(scope="session")
def esptool_bin():
    folder = os.environ.get("ESPTOOL_BIN")
    if not folder:
        pytest.skip("Espressif's esptool can't be installed from PyPI here")
    return Path(folder)

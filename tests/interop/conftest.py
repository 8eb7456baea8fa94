import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests" / "integration")]


from twin import make_image, otactl  # noqa: E402


@pytest.fixture(scope="session")
def images(tmp_path_factory):
    """A device's image, a newer one, and the key they are signed with."""
    folder = tmp_path_factory.mktemp("images")
    key, public = folder / "release.pem", folder / "release.pub.pem"
    otactl("keygen", key, public)
    return {"public": public, **{version: make_image(variant, version, folder / f"{version}.bin", key)
                                 for variant, version in (("good", "1.0.0"), ("newer", "1.1.0"))}}


@pytest.fixture(scope="session")
def esptool_bin():
    folder = os.environ.get("ESPTOOL_BIN")
    if not folder:
        pytest.skip("esptool, cbor2 and pycddl can't be installed from PyPI here")
    return Path(folder)


@pytest.fixture(scope="session")
def interop_python(esptool_bin):
    return esptool_bin / "python"

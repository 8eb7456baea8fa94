import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests" / "integration"), str(ROOT / "tests" / "cloud")]

import twin as twin_module  # noqa: E402
from shelf import Shelf  # noqa: E402


@pytest.fixture(scope="session")
def shelf(tmp_path_factory):
    return Shelf(tmp_path_factory.mktemp("shelf"))


@pytest.fixture
def twin(tmp_path, shelf):
    """A device that runs 1.0.0, powered off."""
    device = twin_module.Twin(tmp_path, shelf.public)
    device.sd.mkdir()
    device.create_flash(shelf.image("good", "1.0.0"))
    yield device
    device.kill()


@pytest.fixture
def authority(tmp_path):
    from certificates import Authority
    return Authority(tmp_path)

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import twin as twin_module  # noqa: E402


class Shelf:
    """Signed images, made once a session."""

    def __init__(self, folder):
        self.folder = folder
        self.key = folder / "release.pem"
        self.public = folder / "release.pub.pem"
        self.other_key = folder / "other.pem"
        twin_module.otactl("keygen", "--type", "rsa3072", self.key, self.public)
        twin_module.otactl("keygen", self.other_key, folder / "other.pub.pem")

    def image(self, variant, version, key="release", **options):
        name = "-".join([variant, version, str(key), *[f"{k}{v}" for k, v in options.items()]])
        path = self.folder / f"{name}.bin"
        if not path.exists():
            signer = {"release": self.key, "other": self.other_key, None: None}[key]
            twin_module.make_image(variant, version, path, signer, **options)
        return path


@pytest.fixture(scope="session")
def shelf(tmp_path_factory):
    return Shelf(tmp_path_factory.mktemp("shelf"))


@pytest.fixture
def twin(tmp_path, shelf):
    """A device that runs 1.0.0, with an empty card and drive, powered off."""
    device = twin_module.Twin(tmp_path, shelf.public)
    device.sd.mkdir()
    device.usb.mkdir()
    device.create_flash(shelf.image("good", "1.0.0"))
    yield device
    device.kill()

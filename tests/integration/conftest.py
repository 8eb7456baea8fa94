import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import twin as twin_module  # noqa: E402
from certificates import Authority  # noqa: E402
from https_bench import Bench  # noqa: E402
from shelf import Shelf  # noqa: E402


def pytest_configure(config):
    config.bess_lines = []
    config.bess_notes = []
    config.bess_credentials = 0


@pytest.fixture(scope="session")
def shelf(tmp_path_factory):
    return Shelf(tmp_path_factory.mktemp("shelf"))


@pytest.fixture
def twin(request, tmp_path, shelf):
    """A device that runs 1.0.0, with an empty card and drive, powered off."""
    device = twin_module.Twin(tmp_path, shelf.public)
    device.sd.mkdir()
    device.usb.mkdir()
    device.create_flash(shelf.image("good", "1.0.0"))
    yield device
    device.kill()
    device.drain()
    request.config.bess_lines += device.all_lines + device.lines
    request.config.bess_credentials += device.had_credentials


@pytest.fixture
def twin_lines(request):
    """All lines of all twins so far, and how many of these twins had credentials."""
    return request.config.bess_lines, request.config.bess_credentials


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def server_certificate(authority):
    return authority.issue("server")


@pytest.fixture
def bench(twin, shelf, authority, server_certificate):
    made = Bench(twin, shelf, authority, server_certificate)
    with made.server:
        yield made


@pytest.fixture(scope="session")
def matrix(request):
    """What the cells of the server matrix ended with: (stage, ended well by itself)."""
    cells = []
    request.config.bess_matrix = cells
    return cells


@pytest.fixture
def note(request):
    """note(text): a line of the run's summary, for what was measured."""
    return request.config.bess_notes.append


def pytest_terminal_summary(terminalreporter, config):
    for line in config.bess_notes:
        terminalreporter.write_line(line)
    cells = getattr(config, "bess_matrix", [])
    for stage in sorted({stage for stage, _ in cells}):
        ended = [well for at, well in cells if at == stage]
        terminalreporter.write_line(f"server matrix, {stage}: {len(ended)} cells, {sum(ended)} ended well by themselves, "
                                    f"{len(ended) - sum(ended)} with the right error and well at the next try")

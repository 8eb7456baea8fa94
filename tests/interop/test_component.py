"""The ESP-IDF component under Espressif's own tools: Kconfig, manifest, and what the registry would get."""

import subprocess
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def idf_python(interop_python):
    found = subprocess.run([interop_python, "-c", "import esp_kconfiglib, idf_component_tools"], capture_output=True)
    if found.returncode != 0:
        pytest.skip("esp-idf-kconfig and idf-component-manager can't be installed from PyPI here")
    return interop_python


def test_kconfig_is_well_formed_and_each_symbol_is_explained(idf_python):
    subprocess.run([idf_python, "-m", "kconfcheck", ROOT / "Kconfig"], check=True, capture_output=True)
    script = ("import esp_kconfiglib.core as k\n"
              f"for s in k.Kconfig({str(ROOT / 'Kconfig')!r}).unique_defined_syms:\n"
              "    print(s.name, s.str_value, all(n.help for n in s.nodes))\n")
    lines = subprocess.run([idf_python, "-c", script], check=True, text=True, capture_output=True).stdout.splitlines()
    symbols = [line.split() for line in lines if line.startswith("OTA_MANAGER_")]
    assert len(symbols) == len(lines) >= 2
    assert all(explained == "True" for _, _, explained in symbols)
    # What is dangerous is off.
    assert ["OTA_MANAGER_ALLOW_UNSIGNED", "n", "True"] in symbols


def test_packed_component_holds_the_component_alone(idf_python, tmp_path):
    subprocess.run([idf_python.parent / "compote", "component", "pack", "--name", "bess-ota", "--dest-dir", tmp_path],
                   cwd=ROOT, check=True, capture_output=True)
    archive = next(path for path in tmp_path.glob("*.tgz") if not path.stem.endswith("_examples"))
    names = {name.removeprefix("./") for name in tarfile.open(archive).getnames()}
    for wanted in ("CMakeLists.txt", "Kconfig", "idf_component.yml", "LICENSE", "README.md", "CHANGELOG.md", "sbom.yml",
                   "include/ota_manager.h", "src/engine/manager.cpp", "platform/esp_idf/compose.cpp",
                   "examples/minimal_https/main/main.c"):
        assert wanted in names, wanted
    foreign = [name for name in names
               if name.split("/")[0] in ("apps", "build", "tests", "tools", ".ci", ".git") or "platform/linux" in name]
    assert foreign == []


def test_examples_name_the_partitions_that_the_manager_asks_for():
    for table in (ROOT / "examples").glob("*/partitions.csv"):
        rows = [line.split(",")[0].strip() for line in table.read_text().splitlines() if not line.startswith("#")]
        assert {"otadata", "ota_journal", "ota_0", "ota_1"} <= set(rows)
        assert "CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=y" in (table.parent / "sdkconfig.defaults").read_text()

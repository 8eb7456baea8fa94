"""The ESP-IDF component under Espressif's own tools: Kconfig, manifest, and what the registry would get."""

import re
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


# The specification's table of configuration parameters, and sizes of the design.
SPECIFIED = {
    "DEFAULT_ROLLBACK_TIMEOUT_MS": "300000", "DEFAULT_MIN_SOC": "30", "DEFAULT_MAX_TEMPERATURE": "45",
    "DEFAULT_MIN_TEMPERATURE": "0", "DEFAULT_MAX_CURRENT": "10", "DEFAULT_TASK_PRIORITY": "5",
    "DEFAULT_TASK_STACK_SIZE": "8192", "DEFAULT_BATTERY_CAPACITY_WH": "200000", "IO_BUFFER_SIZE": "4096",
    "MANIFEST_SIZE": "8192", "URI_SIZE": "2048", "SD_MOUNT_POINT": "/sdcard", "SOURCE_HTTPS": "y",
    "SOURCE_SD_CARD": "y", "SOURCE_USB_DRIVE": "y", "PACKAGE_SUIT": "y", "ENCRYPTED_PAYLOADS": "y", "LOG_CONSOLE": "y",
    # What is dangerous is off.
    "ALLOW_UNSIGNED": "n", "NO_BATTERY": "n",
}


@pytest.fixture(scope="session")
def kconfig(idf_python, tmp_path_factory):
    """Value of each symbol with nothing chosen, without the common prefix; kconfcheck has found nothing."""
    checked = tmp_path_factory.mktemp("kconfig") / "Kconfig"  # its suggestions land beside it
    checked.write_text((ROOT / "Kconfig").read_text())
    subprocess.run([idf_python, "-m", "kconfcheck", checked], check=True, capture_output=True)
    script = ("import esp_kconfiglib.core as k\n"
              f"for s in k.Kconfig({str(ROOT / 'Kconfig')!r}).unique_defined_syms:\n"
              "    print(s.name, s.str_value, all(n.help for n in s.nodes))\n")
    lines = subprocess.run([idf_python, "-c", script], check=True, text=True, capture_output=True).stdout.splitlines()
    symbols = [line.split() for line in lines]
    assert [name for name, _, explained in symbols if explained != "True"] == []
    assert all(name.startswith("OTA_MANAGER_") for name, _, _ in symbols)
    return {name.removeprefix("OTA_MANAGER_"): value for name, value, _ in symbols}


def test_kconfig_defaults_are_the_specifications(kconfig):
    assert {name: kconfig[name] for name in SPECIFIED} == SPECIFIED


def test_kconfig_defaults_are_those_of_the_headers(kconfig):
    """A build without Kconfig, as the twin's, is the same product, with every source, every sink of the log, the module boards, JSON streams and settings packages
    besides."""
    text = (ROOT / "include" / "ota_manager_types.h").read_text()
    text += (ROOT / "src" / "base" / "build_options.hpp").read_text()
    defined = dict(re.findall(r"^#define OTA_MANAGER_(\w+) (.+)$", text, re.M))
    plain = {name: re.sub(r"UINT32_C\((.*)\)", r"\1", value).removesuffix(".0f") for name, value in defined.items()}
    number = {"y": "1", "n": "0"}
    for part in ("SOURCE_AWS_IOT", "JSON_STREAMS", "SOURCE_MODBUS", "SOURCE_CANBUS", "MODULE_BOARDS", "SETTINGS_PACKAGES", "LOG_SD_CARD",
                 "LOG_CLOUDWATCH"):
        assert (plain.pop(part), kconfig[part]) == ("1", "n")
    compared = {name for name in plain if name in kconfig}
    assert {name: plain[name] for name in compared} == {name: number.get(kconfig[name], kconfig[name]) for name in compared}
    assert len(compared) == 21


def test_build_uses_each_kconfig_symbol(kconfig):
    cmake = (ROOT / "CMakeLists.txt").read_text()
    cmake = cmake[:cmake.index("cmake_minimum_required(VERSION 3.25)")]
    for name in kconfig:
        assert re.search(rf"\b{name.removeprefix('DEFAULT_')}\b|CONFIG_OTA_MANAGER_{name}\b", cmake), name


def test_packed_component_holds_the_component_alone(idf_python, tmp_path):
    clean = tmp_path / "bess-ota"
    subprocess.run(["git", "checkout-index", "-a", f"--prefix={clean}/"], cwd=ROOT, check=True)
    subprocess.run([idf_python.parent / "compote", "component", "pack", "--name", "bess-ota", "--dest-dir", tmp_path],
                   cwd=clean, check=True, capture_output=True)
    archive = next(path for path in tmp_path.glob("*.tgz") if not path.stem.endswith("_examples"))
    names = {name.removeprefix("./") for name in tarfile.open(archive).getnames()}
    for wanted in ("CMakeLists.txt", "Kconfig", "idf_component.yml", "LICENSE", "README.md", "CHANGELOG.md", "sbom.yml",
                   "include/ota_manager.h", "src/engine/manager.cpp", "platform/esp_idf/compose.cpp",
                   "platform/posix/directory_store.cpp", "examples/minimal_https/main/main.c"):
        assert wanted in names, wanted
    foreign = [name for name in names if name.split("/")[0] in ("apps", "build", "tests", "test_apps", "tools", ".ci", ".git")
               or "platform/linux" in name]
    assert foreign == []


def test_examples_name_the_partitions_that_the_manager_asks_for():
    for table in (ROOT / "examples").glob("*/partitions.csv"):
        rows = [line.split(",")[0].strip() for line in table.read_text().splitlines() if not line.startswith("#")]
        assert {"otadata", "ota_journal", "ota_0", "ota_1"} <= set(rows)
        assert "CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=y" in (table.parent / "sdkconfig.defaults").read_text()

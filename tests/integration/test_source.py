"""What the sources themselves have to show."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_C03_one_place_confirms():
    """VALID is written by one call in the whole core (field case C03)."""
    calls = [f"{path.relative_to(ROOT)}: {line.strip()}" for path in (ROOT / "src").rglob("*.[ch]pp")
             for line in path.read_text().splitlines() if re.search(r"settle\(true\)", line)]
    assert calls == ["src/boot/trial.cpp: return boot_.settle(true);"]


def test_readme_example_compiles(tmp_path):
    example = re.search(r"```c\n(.*?)```", (ROOT / "README.md").read_text(), re.S)[1]
    shim = ('#include <stdio.h>\n#define ESP_LOGE(tag, ...) ((void)(tag), printf(__VA_ARGS__))\n'
            '#include "ota_manager.h"\nstatic const char *TAG = "readme";\n'
            'static const char *release_public_key_pem = "", *server_ca_pem, *device_token;\n'
            'static bool bms_latest(ota_battery_reading_t *r) { r->soc_percent = 80; return true; }\n'
            'static ota_health_t plant_is_well(void *user) { (void)user; return OTA_HEALTH_PASS; }\n')
    source = tmp_path / "readme.c"
    source.write_text(shim + example)
    subprocess.run(["gcc", "-std=c11", "-Wall", "-Werror", "-Wno-unused-parameter", "-I", ROOT / "include",
                    "-c", source, "-o", tmp_path / "readme.o"], check=True)

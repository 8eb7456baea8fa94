"""Proves the direction of dependencies (docs/architecture.md, "Layers"): every #include of the core points
down, stages never include a sibling, and nothing in src/ names an operating system.

It reads #include lines only: a declaration copied by hand would get past it."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STAGES = ["sources", "package", "verify", "safety", "install", "boot", "observe"]
# What each layer may include of src/ and include/, beside itself.
ALLOWED = {
    "base": [],
    "ports": ["base"],
    "wire": ["ports", "base"],
    **{stage: ["wire", "ports", "base"] for stage in STAGES},
    "engine": [*STAGES, "wire", "ports", "base"],
    "api": ["engine", *STAGES, "wire", "ports", "base", "include"],
    "include": ["esp_err.h", "esp_event.h"],  # ESP-IDF, where it is there
}
ADAPTERS = ["ports", "base", "include", "linux", "posix"]
COMPOSE = ["api", "engine", *STAGES, "wire", "ports", "base", "include", "linux", "posix"]
# Freestanding-friendly headers of the C++ library, and the two crypto headers that the design makes a port.
ALLOWED_SYSTEM = {
    "algorithm", "array", "atomic", "bit", "compare", "concepts", "cstddef", "cstdint", "cstdio", "cstdlib", "cstring",
    "limits", "new", "optional", "span", "string_view", "type_traits", "utility",
    "psa/crypto.h", "mbedtls/base64.h", "mbedtls/platform_util.h", "stdbool.h", "stddef.h", "stdint.h",
}
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', re.M)


def layer_of(header):
    if header.startswith("ota_manager"):
        return "include"
    return header.split("/")[0]


def problems_of(path, allowed, check_system):
    own = path.relative_to(ROOT).parts[1] if path.parts[-2] != "include" else "include"
    for quoted, system in INCLUDE.findall(path.read_text()):
        if system and check_system and system not in ALLOWED_SYSTEM:
            yield f"<{system}> is not for src/"
        if quoted and layer_of(quoted) not in [own, *allowed]:
            yield f'"{quoted}" is not below {own}'


def main():
    problems = []
    files = 0
    for layer, allowed in ALLOWED.items():
        folder = ROOT / "include" if layer == "include" else ROOT / "src" / layer
        for path in sorted([*folder.rglob("*.hpp"), *folder.rglob("*.cpp"), *folder.rglob("*.h")]):
            files += 1
            problems += [(path, p) for p in problems_of(path, allowed, True)]
            # The one place where a choice of the build becomes a constant.
            may_choose = layer == "include" or path.name == "build_options.hpp"
            if re.search(r"^\s*#\s*if", path.read_text(), re.M) and not may_choose:
                problems.append((path, "variants are files, not #if"))
    for path in sorted((ROOT / "platform").rglob("*.[hc]pp")):
        files += 1
        # Threads and composition are the seam to the API; everything else is an adapter.
        top = path.stem in ("compose", "threads", "rtos", "esp_rest")
        problems += [(path, p) for p in problems_of(path, COMPOSE if top else ADAPTERS, False)]
    for path in sorted((ROOT / "apps" / "bess_boot").glob("*.[hc]pp")):
        files += 1
        for quoted, _ in INCLUDE.findall(path.read_text()):
            if quoted.split("/")[0] in [*ALLOWED, "linux"] and quoted != "ports/flash_layout.hpp":
                problems.append((path, f'"{quoted}": the boot ROM shares layout constants only'))
    for path, problem in problems:
        print(f"{path.relative_to(ROOT)}: {problem}")
    print(f"{files} files, {len(problems)} problems")
    return 1 if problems or not files else 0


if __name__ == "__main__":
    sys.exit(main())

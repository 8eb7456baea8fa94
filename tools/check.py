"""The parts of ./check. Each prints its progress and ends with 'part: N passed, N failed, N skipped'."""

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
JOBS = os.cpu_count() or 2
OPTIONS = argparse.Namespace()
CXX_FOLDERS = ["include", "src", "platform", "apps", "tools", "tests", "test_apps"]


class Count:
    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed, self.failed, self.skipped = passed, failed, skipped

    def __iadd__(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        return self

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def run(command, **options):
    return subprocess.run(command, cwd=ROOT, **options)


def verdict(name, ok, output=""):
    """One check with a name: prints it, and its output when it failed."""
    print(f"  {'ok    ' if ok else 'FAILED'} {name}", flush=True)
    if not ok and output:
        print("\n".join(output.splitlines()[-60:]), flush=True)
    return Count(passed=1) if ok else Count(failed=1)


def step(name, command, **options):
    result = run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    return verdict(name, result.returncode == 0, result.stdout)


def build(preset, *targets):
    """Configures and builds; a failure ends the part."""
    log = BUILD / f"{preset}.log"
    BUILD.mkdir(exist_ok=True)
    command = ["cmake", "--build", "--preset", preset, "-j", str(JOBS)]
    if targets:
        command += ["--target", *targets]
    with log.open("w") as file:
        for call in (["cmake", "--preset", preset], command):
            if run(call, stdout=file, stderr=subprocess.STDOUT).returncode != 0:
                print(log.read_text()[-8000:])
                raise SystemExit(f"build of preset {preset} failed; see {log.relative_to(ROOT)}")


def cxx_files(*suffixes):
    files = (p for folder in CXX_FOLDERS for p in (ROOT / folder).rglob("*") if p.name.endswith(suffixes))
    return sorted(str(p.relative_to(ROOT)) for p in files)


# ---------------------------------------------------------------- lint

# How many states of a function the analyzer follows unless lint is named; its own default is 225,000, in which it takes
# three times as long.
ANALYZER_NODES = 20000


def tidy_command():
    command = ["clang-tidy-14", "--quiet", "-p", str(BUILD / "clang")]
    if "lint" in OPTIONS.part:
        return command
    return command + [f"--extra-arg={word}" for word in
                      ("-Xclang", "-analyzer-config", "-Xclang", f"max-nodes={ANALYZER_NODES}")]


def tidy_key(path, headers_hash):
    digest = hashlib.sha256(headers_hash)
    digest.update((ROOT / path).read_bytes())
    return digest.hexdigest()


def tidy_one(path, key):
    """clang-tidy of one file, remembered while it and the headers stay the same."""
    deep = BUILD / "tidy" / f"{path.replace('/', '_')}.{key}"
    stamp = deep if "lint" in OPTIONS.part else deep.with_name(f"{deep.name}.shallow")
    if deep.exists() or stamp.exists():
        return path, True, ""
    result = run([*tidy_command(), path],
                 text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if result.returncode == 0:
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.touch()
    return path, result.returncode == 0, result.stdout


def tidy():
    headers = hashlib.sha256((ROOT / ".clang-tidy").read_bytes())
    for header in sorted(cxx_files(".hpp", ".h")):
        if not header.startswith(("tests/", "test_apps/")):
            headers.update((ROOT / header).read_bytes())
    files = [f for f in cxx_files(".cpp") if not f.startswith(("tests/", "test_apps/"))]
    with ThreadPoolExecutor(JOBS) as pool:
        results = list(pool.map(lambda f: tidy_one(f, tidy_key(f, headers.digest())), files))
    bad = [output for _, ok, output in results if not ok]
    return verdict(f"clang-tidy ({len(files)} files)", not bad, "\n".join(bad)[:12000])


def shell_scripts():
    return ["check", "demo", ".ci/run", *[str(p.relative_to(ROOT)) for p in sorted((ROOT / "tools").glob("*.sh"))]]


def lint():
    count = step("clang-format", ["clang-format-14", "--dry-run", "-Werror", *cxx_files(".cpp", ".hpp", ".h")])
    count += step("layers (tools/check_layers.py)", [sys.executable, "tools/check_layers.py"])
    count += step("tests named in docs exist (tools/traceability.py)", [sys.executable, "tools/traceability.py"])
    count += step("shellcheck", ["shellcheck", *shell_scripts()])
    count += step("cppcheck", ["cppcheck", "--quiet", "--enable=warning,performance,portability", "--std=c++20",
                               "--suppressions-list=tools/cppcheck_suppressions.txt", "--error-exitcode=1", f"-j{JOBS}",
                               "-I", "src", "-I", "include", "-I", "platform", "-I", "apps/bess_boot",
                               "src", "platform", "apps", "tools/otactl"])
    build("clang")
    count += verdict("clang 14 builds everything without a warning", True)
    count += tidy()
    return count


# ---------------------------------------------------------------- tests

def gtest(preset, gtest_filter="*", environment=None, program="unit_tests"):
    report = BUILD / preset / f"{program}.json"
    report.unlink(missing_ok=True)
    result = run([str(BUILD / preset / "tests" / program), "--gtest_brief=1",
                  f"--gtest_filter={gtest_filter}", f"--gtest_output=json:{report}"],
                 env={**os.environ, **(environment or {})}, text=True,
                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=1200)
    if result.returncode != 0:
        print(result.stdout[-12000:])
    if not report.exists():
        return verdict(f"{program} ran to its end", False)
    suites = json.loads(report.read_text())
    skipped = sum(t.get("result") == "SKIPPED" for s in suites["testsuites"] for t in s["testsuite"])
    failed = suites["failures"] + suites["errors"]
    if result.returncode != 0 and failed == 0:
        failed = 1  # a sanitizer's finding
    return Count(suites["tests"] - suites["failures"] - skipped, failed, skipped)


def pytest(folder, environment=None):
    report = BUILD / f"{Path(folder).name}.xml"
    report.unlink(missing_ok=True)
    run(["/usr/bin/python3", "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", folder,
         f"--junitxml={report}"], env={**os.environ, **(environment or {})}, timeout=1800)
    if not report.exists():
        return verdict(f"pytest {folder} ran to its end", False)
    suite = ElementTree.parse(report).getroot().find("testsuite")
    total, skipped = int(suite.get("tests")), int(suite.get("skipped"))
    failed = int(suite.get("failures")) + int(suite.get("errors"))
    return Count(total - failed - skipped, failed, skipped)


def unit():
    build("host")
    count = gtest("host")
    count += gtest("host", program="fault_tests")
    count += gtest("host", program="reduced_tests")
    return count


def asan():
    build("asan", "unit_tests")
    return gtest("asan", environment={"UBSAN_OPTIONS": "halt_on_error=1"})


def tsan():
    build("tsan", "unit_tests")
    return gtest("tsan", "Threads.*:LogQueueThreads.*:CApi.*:FieldBuses.*:Mqtt.*:Twai.*")


def integration():
    build("host")
    return pytest("tests/integration")


def powercut():
    """Two halves of the scenarios side by side; a scenario is one test."""
    build("host", "powercut")
    program = str(BUILD / "host" / "tests" / "powercut")
    begin = time.monotonic()
    listed = run([program, "--list"], text=True, capture_output=True, check=True).stdout.split()
    count = min(JOBS, len(listed))
    shards = [subprocess.Popen([program, "--shard", f"{i}/{count}"], stdout=subprocess.PIPE, text=True)
              for i in range(count)]
    text = "".join(shard.communicate()[0] for shard in shards)
    rows = re.findall(r"^(\S+) +(\d+) cuts +(\d+) bricked +(\d+) stuck +(\d+) broken$", text, re.M)
    print("\n".join(line for line in text.splitlines() if not line.startswith("scenarios")))
    cuts, bricked, stuck = (sum(int(row[i]) for row in rows) for i in (1, 2, 3))
    unexplained = sum(int(n) for n in re.findall(r"unexplained (\d+)", text))
    print(f"scenarios {len(rows)}, cut points {cuts}, bricked {bricked}, stuck {stuck}, unexplained {unexplained}, "
          f"seconds {time.monotonic() - begin:.1f}")
    good = sum(row[2:] == ("0", "0", "0") for row in rows)
    failed = len(rows) - good
    if any(shard.returncode for shard in shards) and failed == 0:
        failed = 1
    failed += len(listed) - len(rows)  # what did not report
    return Count(good, failed, 0) if rows else verdict("powercut ran", False)


def model():
    build("host", "print_table")
    result = run([sys.executable, "tools/model_check.py", str(BUILD / "host" / "tests" / "print_table")],
                 text=True, stdout=subprocess.PIPE)
    print(result.stdout, end="")
    if result.returncode not in (0, 1):
        return verdict("the model was checked", False)
    return Count(result.stdout.count("  ok "), result.stdout.count("  FAILED "), 0)


# Tools of other makers, from PyPI: module to import, and what brings it.
VENVS = {
    "interop": (["esptool", "cbor2", "pycddl", "esp_kconfiglib", "isotp", "can", "udsoncan", "msgpack"],
                ["esptool==5.1.0", "cbor2>=5.6,<7", "cryptography", "pycddl==0.6.4", "esp-idf-kconfig>=3,<4",
                 "idf-component-manager>=2,<3", "can-isotp>=2,<3", "python-can>=4.5,<5", "udsoncan>=1.25,<2", "msgpack"]),
    "cloud": (["awsiot", "moto.server", "flask_cors"], ["awsiotsdk>=1.31,<2", "moto[server]>=5.2,<6"]),
}


def venv(name, variable):
    """What tells tests where its programs are; nothing where PyPI can't be reached: they say that they are skipped."""
    modules, requirements = VENVS[name]
    made = run(["tools/venv.sh", name, ",".join(modules), *requirements]).returncode == 0
    return {variable: str(BUILD / name / "bin")} if made else {}


def interop():
    build("host", "otactl", "bess_boot", "bess_sim_good", "bess_sim_newer", "suit_vector_tests", "isotp_peer",
          "sigv4_peer")
    count = pytest("tests/interop", venv("interop", "ESPTOOL_BIN"))
    vectors = ROOT.parent / "shared" / "vectors" / "suit"
    count += gtest("host", environment={"BESS_SUIT_VECTORS": str(vectors)} if vectors.exists() else {},
                   program="suit_vector_tests")
    return count


FUZZ_TARGETS = ["esp_image_fuzz", "signature_fuzz", "journal_fuzz", "flash_layout_fuzz", "text_fuzz",
                "http_fuzz", "suit_fuzz", "suit_manifest_fuzz", "cbor_fuzz", "cose_fuzz", "isotp_fuzz", "modbus_fuzz",
                "uds_fuzz", "aws_fuzz"]


def fuzz():
    """Each target for a few seconds, or --seconds. What it learns stays in build/fuzz/corpus, finds in build/fuzz/finds."""
    seconds = OPTIONS.seconds or 5
    build("fuzz", "make_seeds", *FUZZ_TARGETS)
    folder = BUILD / "fuzz"
    (folder / "finds").mkdir(exist_ok=True)
    run([str(folder / "tests" / "make_seeds"), str(folder / "corpus")], check=True)
    count = Count()
    for target in FUZZ_TARGETS:
        dictionary = ROOT / "tests" / "fuzz" / f"{target}.dict"
        if not dictionary.exists():  # parts of a package share the package's
            dictionary = ROOT / "tests" / "fuzz" / "suit_fuzz.dict"
        result = run([str(folder / "tests" / target), f"-max_total_time={seconds}", "-timeout=10", "-max_len=24576",
                      f"-dict={dictionary}",
                      f"-artifact_prefix={folder}/finds/{target}-", str(folder / "corpus" / target)],
                     text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                     env={**os.environ, "UBSAN_OPTIONS": "halt_on_error=1"})
        done = re.search(r"^Done (\d+) runs", result.stdout, re.M)
        executions = done[1] if done else "?"
        count += verdict(f"{target}: {executions} executions, crashes {int(result.returncode != 0)}",
                         result.returncode == 0 and done is not None, result.stdout)
    return count


def cloud():
    """By name: every fault. Else what most depends on."""
    build("host", "otactl", "bess_boot", "bess_sim_good", "bess_sim_newer", "bess_sim_failing")
    if "cloud" in OPTIONS.part:
        return pytest("tests/cloud", venv("cloud", "CLOUD_BIN"))
    smoke = "mqtt_contract or creation_to_success or shuffle or expired_url or update_as_the_cloud or rollout"
    return pytest("tests/cloud", {"PYTEST_ADDOPTS": f"-k '{smoke}'"})


def scale():
    """By name: a thousand units. Else three hundred."""
    build("host", "scale")
    size = ["--units", "1000", "--hours", "3"] if "scale" in OPTIONS.part else ["--units", "300", "--hours", "2"]
    result = run(["/usr/bin/python3", "tests/scale/run.py", *size], text=True, stdout=subprocess.PIPE)
    print(result.stdout, end="")
    return verdict("a fleet: all updated, each once; checks spread", result.returncode == 0)


def kernel():
    build("host", "kernel_test", "card_log")
    cuts = "10000" if "kernel" in OPTIONS.part else "300"
    result = run(["/usr/bin/python3", "tests/kernel/run.py", cuts], text=True, stdout=subprocess.PIPE)
    if result.returncode == 3:
        print(f"  skipped: {result.stdout.strip()}")
        return Count(skipped=1)
    print(result.stdout, end="")
    found = re.search(r"^(\d+) passed, (\d+) failed$", result.stdout, re.M)
    return Count(int(found[1]), int(found[2]), 0) if found else verdict("the virtual machine ran to its end", False)


def rv32():
    log = BUILD / "rv32.log"
    BUILD.mkdir(exist_ok=True)
    with log.open("w") as file:
        prepared = run(["tools/rv32_prepare.sh"], stdout=file, stderr=subprocess.STDOUT).returncode
        if prepared == 3:
            print("  skipped: Debian's source of mbedTLS or its libstdc++ headers can't be had here; "
                  "see build/rv32.log")
            return Count(skipped=1)
        for call in (["cmake", "-S", "tests/rv32", "-B", "build/rv32", "-G", "Ninja"],
                     ["cmake", "--build", "build/rv32", "-j", str(JOBS)]):
            if prepared or run(call, stdout=file, stderr=subprocess.STDOUT).returncode != 0:
                print(log.read_text()[-6000:])
                return verdict("rv32imafc build", False)
    # Semihosting writes to the standard error.
    result = run(["qemu-riscv32", "build/rv32/unit_tests_rv32"], text=True, stdout=subprocess.PIPE,
                 stderr=subprocess.STDOUT)
    print(result.stdout[-4000:] if result.returncode else "", end="")
    found = re.search(r"^(\d+) passed, (\d+) failed$", result.stdout, re.M)
    if not found:
        return verdict("unit tests under qemu-riscv32", False, result.stdout[-4000:])
    count = Count(int(found[1]), int(found[2]), 0)
    result = run(["qemu-riscv32", "build/rv32/powercut_rv32"], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    count += verdict(f"power cuts under qemu-riscv32: {(result.stdout.splitlines() or ['none'])[-1]}",
                     result.returncode == 0, result.stdout)
    result = run([sys.executable, "tools/size_report.py", "--json"], text=True, stdout=subprocess.PIPE)
    sizes = json.loads(result.stdout) if result.returncode == 0 else {}
    for name, value, most in (("deepest stack", sizes.get("deepest stack", 0), 5120),
                              ("stack of the links' task", sizes.get("stack of links", 0), 3072),
                              ("stack of whoever calls init and start",
                               max(sizes.get("stack of callers", {"": 0}).values()), 2560),
                              ("working memory", sizes.get("sizeof", {}).get("Workspace", 0), 20480),
                              ("SUIT processor with CBOR and COSE", sizes.get("SUIT processor", 0), 14 * 1024)):
        count += verdict(f"{name}: {value} of {most} bytes", 0 < value <= most)
    return count


def soak():
    """A minute of it, or --seconds."""
    build("host")
    return pytest("tests/soak", {"BESS_SOAK_SECONDS": str(OPTIONS.seconds or 60)})


def mutation():
    return verdict("every mutant is noticed", run([sys.executable, "tools/mutation_check.py"]).returncode == 0)


def bench():
    """Simulated times are the same everywhere and have a bar; what this machine measures is printed only."""
    build("host")
    program = str(BUILD / "host" / "tests" / "bench")
    result = run([program], text=True, stdout=subprocess.PIPE)
    print(result.stdout, end="")
    count = verdict("update time against link and flash, simulated", result.returncode == 0)
    package = BUILD / "host" / "bench-package.bin"
    run([program, "--write-package", str(package)], check=True)
    times = 40  # so that the start of the program does not count
    begin = time.monotonic()
    run(["sha256sum", *[str(package)] * times], check=True, stdout=subprocess.DEVNULL)
    summed = times * package.stat().st_size / (time.monotonic() - begin) / 1e6
    package.unlink()
    if pipeline := re.search(r"on this machine: (\d+) MB/s", result.stdout):
        ratio = int(pipeline[1]) / summed
        print(f"sha256sum of the same bytes: {summed:.0f} MB/s; whole pipeline / sha256sum {ratio:.2f} "
              f"(target 0.8: {'met' if ratio >= 0.8 else 'missed'}; printed, not a failure: it is this machine's)")
    count += verdict("bytes on the wire", run([sys.executable, "tests/bench/wire.py"]).returncode == 0)
    return count


PARTS = {
    "lint": (lint, "clang-format, clang-tidy (deeper when named), cppcheck, layers, shellcheck, clang build"),
    "unit": (unit, "unit tests, host build"),
    "asan": (asan, "the same with address and undefined-behaviour sanitizers"),
    "tsan": (tsan, "the tests with threads under the thread sanitizer"),
    "integration": (integration, "the twin as processes: boot, update, revert, power cuts, media"),
    "cloud": (cloud, "AWS: Jobs, streams and the log, the twin against stand-ins (all faults when named)"),
    "scale": (scale, "a fleet of whole devices in a few processes on one broker and one nginx (1,000 when named, else 300)"),
    "kernel": (kernel, "Debian's kernel in a virtual machine: its ISO-TP, CAN controllers, FAT, a stick that is pulled, a log card that loses power (10,000 times when named)"),
    "powercut": (powercut, "power lost at every flash operation of every scenario"),
    "model": (model, "state machine, bootloader, power and battery as a model, by spin"),
    "interop": (interop, "against tools of other makers: esptool, openssl, Modbus masters, UDS testers"),
    "fuzz": (fuzz, "libFuzzer on everything that parses untrusted bytes, a few seconds each"),
    "bench": (bench, "how fast an update is, and what it costs on the wire"),
    "soak": (soak, "the device killed at random times, update after update, for a minute"),
    "mutation": (mutation, "safety lines broken one at a time: a test has to notice (only when named)"),
    "rv32": (rv32, "unit tests on rv32imafc under qemu-riscv32"),
}


OPT_IN = ["mutation"]


def main():
    parts = "\n".join(f"  {name:<12} {what}" for name, (_, what) in PARTS.items())
    parser = argparse.ArgumentParser(
        prog="./check", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Runs the tests of bess-ota. Without names: all parts that are not for naming only.",
        epilog=f"parts:\n{parts}\n\nexit codes: 0 all passed, 1 something failed, 2 usage")
    parser.add_argument("part", nargs="*", choices=[*PARTS, []], metavar="part")
    parser.add_argument("--seconds", type=int, metavar="N", help="how long fuzz (each target) and soak run; default 5 and 60")
    parser.parse_args(namespace=OPTIONS)
    names = OPTIONS.part or [name for name in PARTS if name not in OPT_IN]

    total = Count()
    begin = time.monotonic()
    for name in names:
        print(f"== {name}: {PARTS[name][1]}", flush=True)
        start = time.monotonic()
        try:
            count = PARTS[name][0]()
        except (SystemExit, OSError, subprocess.SubprocessError) as stop:
            count = verdict(str(stop), False)
        print(f"  {time.monotonic() - start:.0f} s\n{name}: {count}\n", flush=True)
        total += count
    print(f"all parts took {time.monotonic() - begin:.0f} s")
    print(total)
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())

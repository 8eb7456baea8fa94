#!/usr/bin/env python3
"""What the core costs on the ESP32-P4's instruction set: flash by stage and feature, RAM, and the deepest stack.

  tools/size_report.py [--json] [--top N]
  tools/size_report.py --choices      the same figures for builds that leave things out, as Kconfig does

Every file of src/ is compiled for rv32imafc with -Os, linked with what the C API can't reach left out and calls as
short as their distance lets them be, and counted. The libraries below (mbedTLS, ESP-IDF, the C++ library's out-of-line
code) are not ours and not counted. The stack is the longest path through the call graph that the compiler writes (-fcallgraph-info=su); a virtual
call counts as the deepest method of that name of the classes that implement the interface, so the figure is an upper
bound for the core. What adapters and callbacks use comes on top.

Needs the packages and headers of `./check rv32`. Exit codes: 0 well, 1 something can't be counted, 2 usage."""

import argparse
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEPS = ROOT / "build" / "rv32-deps"
OUT = ROOT / "build" / "size"
TOOL = "riscv64-unknown-elf-"
LIBSTDCXX = DEPS / "libstdc++/usr/include/newlib/c++/12.2.1"
# Builds to compare: what each leaves out.
NO_FILES = ["SOURCE_SD_CARD", "SOURCE_USB_DRIVE"]
NO_BUSES = ["SOURCE_MODBUS", "SOURCE_CANBUS"]
SLOW_LOGS = ["LOG_SD_CARD", "LOG_CLOUDWATCH"]
DEFAULT = [*NO_BUSES, *SLOW_LOGS, "SOURCE_AWS_IOT", "JSON_STREAMS", "MODULE_BOARDS", "SETTINGS_PACKAGES"]  # what Kconfig leaves out unless asked
CHOICES = [
    ("everything", []),
    ("without encrypted payloads", ["ENCRYPTED_PAYLOADS"]),
    ("without SD card and USB drive", NO_FILES),
    ("without Modbus", ["SOURCE_MODBUS"]),
    ("without CAN", ["SOURCE_CANBUS"]),
    ("without Modbus and CAN", NO_BUSES),
    ("without module boards", ["MODULE_BOARDS"]),
    ("without AWS IoT", ["SOURCE_AWS_IOT"]),
    ("without streams in JSON", ["JSON_STREAMS"]),
    ("without settings packages", ["SETTINGS_PACKAGES"]),
    ("without the log on SD card", ["LOG_SD_CARD"]),
    ("without the log in CloudWatch", ["LOG_CLOUDWATCH"]),
    ("without the log on SD card and in CloudWatch", SLOW_LOGS),
    ("Kconfig's default", DEFAULT),
    *[(f"Kconfig's default with {what}", [part for part in DEFAULT if part not in parts]) for what, parts in [
        ("Modbus", ["SOURCE_MODBUS"]), ("CAN", ["SOURCE_CANBUS"]), ("module boards", ["MODULE_BOARDS"]),
        ("AWS IoT", ["SOURCE_AWS_IOT"]), ("settings packages", ["SETTINGS_PACKAGES"]),
        ("the log on SD card", ["LOG_SD_CARD"]), ("the log in CloudWatch", ["LOG_CLOUDWATCH"])]],
    ("without HTTPS", ["SOURCE_HTTPS"]),
    ("without SUIT packages", ["PACKAGE_SUIT"]),
    ("HTTPS with SUIT packages, unencrypted", [*NO_FILES, *DEFAULT, "ENCRYPTED_PAYLOADS", "LOG_CONSOLE"]),
    ("HTTPS with raw images", [*NO_FILES, *DEFAULT, "PACKAGE_SUIT", "LOG_CONSOLE"]),
    ("SD card with raw images", [*DEFAULT, "SOURCE_USB_DRIVE", "SOURCE_HTTPS", "PACKAGE_SUIT", "LOG_CONSOLE"]),
]
FLAGS = ["-march=rv32imafc", "-mabi=ilp32f", "--specs=picolibc.specs", "-Os", "-ffunction-sections", "-fdata-sections",
         "-xc++", "-std=c++20", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics",
         "-fno-asynchronous-unwind-tables",
         "-fstack-usage", "-fcallgraph-info=su", "-D_GLIBCXX_EXTERN_TEMPLATE=0",
         '-DMBEDTLS_CONFIG_FILE="mbedtls_config.h"', f"-I{ROOT}/src", f"-I{ROOT}/include", f"-I{ROOT}/tests/rv32",
         "-isystem", LIBSTDCXX, "-isystem", LIBSTDCXX / "arm-none-eabi", "-isystem", DEPS / "mbedtls/include"]
# What a build might leave out; the first pattern that fits a file's path decides, the rest is the core.
FEATURES = [
    ("SUIT packages", r"package/suit_|wire/(cbor|suit_auth)|verify/(manifest_signature|suit_admission)|safety/schedule"
                      r"|engine/session_(suit|conditions)"),
    ("components beside the application", r"engine/session_components|install/data_component|verify/part_check"),
    ("encrypted payloads", r"install/payload_cipher|wire/cose_encrypt"),
    ("HTTPS source", r"sources/https/|wire/(http_|uri)"),
    ("SD card and USB drive", r"sources/file/"),
    ("AWS IoT", r"sources/aws/|wire/json\."),
    ("module boards", r"install/(module_|uds_client)|api/can_share|engine/session_boards"),
    ("Modbus", r"sources/modbus/|wire/modbus_"),
    ("CAN", r"sources/can/|wire/(isotp|uds|slcan)"),
    ("pushed packages", r"sources/push_|verify/access_check|api/links"),
    ("settings from afar", r"engine/(remote_config|manager_settings)"),
    ("log on SD card and in CloudWatch", r"observe/(cloudwatch|http_exchange|role_credentials|log_(batch|file|queue|text)"
                                         r"|metrics_log)|wire/sigv4|api/log_works"),
    ("report and console log", r"observe/|wire/json_writer"),
    ("C API and texts", r"api/|base/status_text"),
    ("core and raw images", r""),
]
# What an issue of this project holds to 14 KiB: from the bytes of an envelope to the commands that are run.
PROCESSOR = r"package/(suit_|package_reader)|wire/(cbor|suit_auth)"
# RAM that is there for the manager's whole life: all of it is one static object, Instance.
OBJECTS = ["Workspace", "Session", "Journal", "Manager", "Instance"]
PROBE = '#include "api/instance.hpp"\nnamespace ota {\n' + "".join(
    f"extern char size_of_{name}[];\nchar size_of_{name}[sizeof({name})];\n" for name in OBJECTS) + "}\n"
SPECIFIED_STACK = 8192
# Where the ESP32-P4 has code in flash and its ROM (ESP-IDF components/soc/esp32p4/include/soc/soc.h: SOC_IROM_LOW,
# SOC_IROM_MASK_LOW).
FLASH, ROM = 0x40000000, 0x4FC00000


def run(*command, **options):
    return subprocess.run(list(map(str, command)), text=True, capture_output=True, check=True, **options).stdout


# Without ccache: it keeps no call graph, and the one of an earlier build would be read in its place.
def compile_one(source, target, flags):
    run(TOOL + "gcc", *FLAGS, *flags, "-c", source, "-o", target, cwd=OUT)
    return target


def compile_all(flags):
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    sources = [path for path in sorted((ROOT / "src").rglob("*.cpp")) if path.name != "unsigned_allowed.cpp"]
    names = {OUT / (str(path.relative_to(ROOT / "src")).replace("/", "__")[:-4] + ".o"): path for path in sources}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda item: compile_one(item[1], item[0], flags), names.items()))
    return {target: str(path.relative_to(ROOT / "src")) for target, path in names.items()}


def symbols_of(path):
    """(size, kind, name) of everything that is defined."""
    for line in run(TOOL + "nm", "-S", path).splitlines():
        found = re.match(r"[0-9a-f]+ ([0-9a-f]+) (\w) (\S+)$", line)
        if found:
            yield int(found[1], 16), found[2], found[3]


def link(objects):
    """What the C API reaches, with its code where ESP-IDF has it; its flash bytes in all, and each symbol with the file
    it comes from. The linker makes a call within 1 MB four or six bytes shorter (RISC-V psABI, linker relaxation, which
    ESP-IDF leaves on); what isn't ours stands where the ROM is, too far for that."""
    api = sorted(set(re.findall(r"\bota_manager_\w+(?=\()", (ROOT / "include" / "ota_manager.h").read_text())))
    command = [TOOL + "ld", "-m", "elf32lriscv", "--gc-sections", *[f"-u{name}" for name in api], *objects]
    run(*command, "-r", "-o", OUT / "part.o")
    foreign = [line.split()[-1] for line in run(TOOL + "nm", "-u", OUT / "part.o").splitlines()]
    whole = OUT / "whole.elf"
    run(*command, *[f"--defsym={name}={ROM}" for name in foreign], f"-Ttext={FLASH:#x}", "-e", api[0], "-o", whole)
    home = {}
    for path, source in objects.items():
        for _, _, name in symbols_of(path):
            home.setdefault(name, source)
    sections = defaultdict(int)
    for line in run(TOOL + "size", "-A", whole).splitlines():
        fields = line.split()
        if len(fields) == 3 and fields[1].isdigit():
            for kind in (".text", ".rodata", ".srodata", ".data", ".sdata", ".bss", ".sbss"):
                if fields[0] == kind or fields[0].startswith(kind + "."):
                    sections[kind.replace(".s", ".") if kind != ".srodata" else ".rodata"] += int(fields[1])
    # A constructor has two names.
    named = {re.sub(r"C[12]E", "CE", name): (size, kind.upper(), name, home.get(name, "?"))
             for size, kind, name in symbols_of(whole)}
    return sections, list(named.values())


def feature_of(source):
    return next(name for name, pattern in FEATURES if re.search(pattern, source))


def sizes_of_objects(flags):
    (OUT / "probe.cpp").write_text(PROBE)
    probe = compile_one(OUT / "probe.cpp", OUT / "probe.o", flags)
    return {re.search(r"size_of_([A-Z][a-z]+)", name)[1]: size
            for size, _, name in symbols_of(probe) if "size_of_" in name}


# Functions that call themselves, and how deep their own limits let them. Any other cycle is an error: its depth would
# be a guess.
RECURSION = {"lint_sequence": 5, "CborReader4skip": 9, "11FlashRegion": 2}  # a region of a region is the most
# Of names that more than one interface has, what the callers' words for the object mean.
RECEIVERS = {
    "output_": {"LineOutput"}, "writer": {"ImageWriter"}, "image": {"ImageReader"}, "slot": {"ImageReader"},
    "image_": {"ImageReader"}, "standby_image": {"ImageReader"}, "running_image": {"ImageReader"},
    "store_": {"FileStore"}, "source": {"Source"}, "payload_source": {"Source"}, "client_": {"HttpClient"},
    "slot_": {"Flash"}, "flash_": {"Flash"}, "channel": {"Channel"}, "log": {"UpdateLog"}, "log_": {"UpdateLog"},
    "boot": {"BootControl"}, "boot_": {"BootControl"}, "modules": {"ModuleBoards"}, "components_": {"ComponentHost"},
    "conditions_": {"ConditionHost"}, "host_": {"PayloadHost"}, "app": {"Component"}, "gate": {"SafetyGate"},
    "health_": set(), "probe": {"HealthProbe"}, "probes_": {"HealthProbe"}, "sink": {"EventSink", "ReadBackSink"},
    "battery": {"Battery"}, "battery_": {"Battery"}, "mailbox": {"Mailbox"}, "restart": {"Restart"},
    "port_": {"SerialPort"}, "bus_": {"CanBus"}, "server_": {"StreamServer"}, "can": {"CanBus"},
    "modbus_link_": {"ModbusLink"}, "link": {"ModbusLink"}, "view": {"EngineView"},
}


def read_classes():
    """Interfaces with the names of their pure virtual methods, and the classes of src/ that implement each."""
    interfaces, classes = defaultdict(set), defaultdict(set)
    for path in (ROOT / "src").rglob("*.hpp"):
        name = None
        for line in re.sub(r"\n\s+:", " :", path.read_text()).splitlines():
            head = re.match(r"(?:class|struct) (\w+)(?: final)?(?: : (.*?))? \{", line)
            if head:
                name = head[1]
                for base in re.findall(r"(?:public|private) (\w+)", head[2] or ""):
                    classes[base].add(name)
            method = re.search(r"virtual .*?(\w+)\(", line)
            if method and name:
                interfaces[name].add(method[1])
    return interfaces, classes


class CallGraph:
    """Functions with their frames, from the .ci files; what is called through a table is looked for by its name."""

    def __init__(self, folder):
        self.frame, self.calls, self.by_name = {}, defaultdict(set), defaultdict(set)
        indirect = []
        for path in folder.glob("*.ci"):
            text = path.read_text()
            for title, label in re.findall(r'node: \{ title: "([^"]+)" label: "([^"]+)"', text):
                bytes_ = re.search(r"(\d+) bytes \((\w+)", label)
                if bytes_:
                    self.frame[title] = max(self.frame.get(title, 0), int(bytes_[1]))
                    method = re.search(r"([~\w]+)\(", label.split("\\n")[0].replace("operator()", "call("))
                    if method and "::" in label.split("\\n")[0]:
                        self.by_name[method[1]].add(title)
            for source, target, place in re.findall(
                    r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"(?: label: "([^"]+)")?', text):
                if target == "__indirect_call":
                    indirect.append((source, place))
                else:
                    self.calls[source].add(target)
        self.interfaces, self.classes = read_classes()
        self.lines = {}
        self.unresolved = set()
        for source, place in indirect:
            targets = self.candidates(place)
            self.calls[source] |= targets
            if not targets:
                self.unresolved |= {name for _, name in self.calls_in(place)}

    def calls_in(self, place):
        """Pairs of an object's name and the method that is called there, for methods of interfaces."""
        found = re.findall(r"(\w+)(?:\(\)|\[\w+\])?(?:\.|->)(\w+)\(", self.text_at(place))
        return [pair for pair in found if any(pair[1] in methods for methods in self.interfaces.values())]

    def text_at(self, place):
        found = re.match(r"(.*):(\d+):(\d+)$", place or "")
        if not found:
            return ""
        path = found[1]
        if path not in self.lines:
            self.lines[path] = Path(path).read_text().splitlines() if Path(path).exists() else []
        lines = self.lines[path][int(found[2]) - 1:int(found[2]) + 1]
        return " ".join(line.strip() for line in lines)

    def candidates(self, place):
        """The functions that the source line of an indirect call may mean: methods of that name in the classes that
        implement an interface which has one."""
        out = set()
        for receiver, name in self.calls_in(place):
            owners = {owner for owner, methods in self.interfaces.items() if name in methods}
            if len(owners) > 1:
                owners &= RECEIVERS.get(receiver, owners)
            for owner in owners:
                out |= {title for title in self.by_name.get(name, ())
                        if any(f"{len(cls)}{cls}" in title for cls in self.classes[owner])}
        return out

    def deepest(self, root):
        """(bytes, path) of the deepest chain from root."""
        known, open_ = {}, []

        def times(name):
            return next((deep for part, deep in RECURSION.items() if part in name), 1)

        def visit(name):
            if name in known:
                return known[name]
            if name not in self.frame:
                return 0, ()
            if name in open_:
                cycle = open_[open_.index(name):]
                if not any(part in member for part in RECURSION for member in cycle):
                    raise ValueError(f"a cycle without a known depth: {', '.join(map(demangle, cycle))}; see RECURSION")
                return 0, ()
            open_.append(name)
            best = max((visit(target) for target in self.calls[name]), default=(0, ()), key=lambda item: item[0])
            open_.pop()
            known[name] = times(name) * self.frame[name] + best[0], (name, *best[1])
            return known[name]

        sys.setrecursionlimit(10000)
        return visit(root)


def demangle(name):
    plain = run("c++filt", name.split(":")[-1]).strip()
    return re.sub(r"\(.*", "", plain).replace("ota::", "")


def measure(flags):
    """(report for machines, what a person may want to see besides)."""
    objects = compile_all(flags)
    sections, named = link(objects)
    ram = sizes_of_objects(flags)
    in_flash = [entry for entry in named if entry[1] in "TRVWD"]
    stages, features = defaultdict(int), defaultdict(int)
    for size, _, _, source in in_flash:
        stages[source.split("/")[0]] += size
        features[feature_of(source)] += size
    flash = sections[".text"] + sections[".rodata"] + sections[".data"]
    graph = CallGraph(OUT)
    engine = [title for title in graph.frame if "7Manager4stepE" in title or title.endswith("Manager::step")]
    stack, path = max((graph.deepest(title) for title in engine), default=(0, ()), key=lambda item: item[0])
    callers = {name: max(graph.deepest(title)[0] for title in graph.frame if title.endswith(name))
               for name in ("ota_manager_init", "ota_manager_start", "ota_manager_get_last_report")}
    logs = max((graph.deepest(title)[0] for title in graph.frame if "7SlowLog3runE" in title or "7SlowLog4stepE" in title), default=0)
    links = max((graph.deepest(title)[0] for title in graph.frame if "5Links3runE" in title or "5Links4pollE" in title), default=0)
    report = {"flash": flash, "stack of callers": callers, "stack of links": links, "stack of logs": logs, "strings and padding": flash - sum(stages.values()), "stages": dict(stages),
              "features": dict(features), "static RAM of ours": sections[".bss"] + sections[".data"], "sizeof": ram,
              "deepest stack": stack,
              "SUIT processor": sum(size for size, _, _, source in in_flash if re.match(PROCESSOR, source))}
    return report, {"sections": sections, "symbols": in_flash, "graph": graph, "path": path}


def print_report(report, seen, top):
    sections, graph = seen["sections"], seen["graph"]
    print(f"flash {report['flash']} bytes: code {sections['.text']}, constants {sections['.rodata'] + sections['.data']}")
    for name, size in sorted(report["features"].items(), key=lambda item: -item[1]):
        print(f"  {size:7}  {name}")
    print(f"  {report['strings and padding']:7}  texts, tables and padding without a name\nby folder")
    for name, size in sorted(report["stages"].items(), key=lambda item: -item[1]):
        print(f"  {size:7}  {name}")
    print(f"SUIT processor with CBOR reader and COSE signatures: {report['SUIT processor']}")
    print(f"largest {top}")
    for size, _, name, source in sorted(seen["symbols"], reverse=True)[:top]:
        print(f"  {size:7}  {demangle(name)} ({source})")
    print("RAM, bytes: " + ", ".join(f"{name} {size}" for name, size in report["sizeof"].items()))
    print(f"deepest stack below the engine's loop, upper bound: {report['deepest stack']} of {SPECIFIED_STACK} bytes")
    print(f"deepest stack of the links' task, upper bound: {report['stack of links']} of 4096 bytes")
    print(f"deepest stack of the log's task, upper bound: {report['stack of logs']} of 8192 bytes (4096 without CloudWatch), without TLS and FAT")
    print("stack of the caller: " + ", ".join(f"{name} {size}" for name, size in report["stack of callers"].items()))
    for name in seen["path"]:
        print(f"  {graph.frame[name]:7}  {demangle(name)}")
    print("what is called beyond it (adapters, callbacks) comes on top: " + ", ".join(sorted(graph.unresolved)))


def print_choices(as_json):
    rows = []
    for name, left_out in CHOICES:
        report, _ = measure([f"-DOTA_MANAGER_{part}=0" for part in left_out])
        rows.append({"build": name, "flash": report["flash"], "RAM": report["sizeof"]["Instance"],
                     "stack": report["deepest stack"]})
        if not as_json:
            if len(rows) == 1:
                print(f"{'':40} {'flash':>8} {'RAM':>8} {'stack':>8}")
            print(f"{name:40} {rows[-1]['flash']:8} {rows[-1]['RAM']:8} {rows[-1]['stack']:8}", flush=True)
    if as_json:
        print(json.dumps(rows))


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--json", action="store_true", help="for machines")
    arguments.add_argument("--top", type=int, default=12, help="how many of the largest functions to name")
    arguments.add_argument("--choices", action="store_true", help="compare builds that leave things out; two minutes")
    options = arguments.parse_args()
    if not (DEPS / "complete").exists():
        print("run ./check rv32 first: it installs the compiler and lays out headers", file=sys.stderr)
        return 1
    try:
        if options.choices:
            print_choices(options.json)
            return 0
        report, seen = measure(os.environ.get("SIZE_FLAGS", "").split())
    except subprocess.CalledProcessError as error:
        print(error.stderr, file=sys.stderr)
        return 1
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(report))
    else:
        print_report(report, seen, options.top)
    return 0 if report["deepest stack"] and report["sizeof"] else 1


if __name__ == "__main__":
    sys.exit(main())

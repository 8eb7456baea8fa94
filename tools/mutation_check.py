"""Breaks chosen safety lines of the core one at a time, in a copy of the tree, and shows that a test notices each.
Takes some minutes. exit codes: 0 every mutant was noticed, 1 one was not, 2 a mutant no longer fits its file"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COPY = ROOT / "build" / "mutation"
JOBS = os.cpu_count() or 2

# what is broken, file, line, what it becomes
MUTANTS = [
    ("the signature is not checked", "src/verify/verifier.cpp", "    OTA_TRY(check_signature(slot));\n",
     "    (void)check_signature(slot);\n"),
    ("what was read back is not compared", "src/install/slot_writer.cpp",
     "if (!std::equal(bytes.begin(), bytes.end(), payload.begin())) {", "if (false) {"),
    ("an older version is admitted", "src/verify/admission.cpp", "if (std::is_lt(order)) return", "if (false) return"),
    ("the rollback index is not held", "src/verify/admission.cpp",
     "if (image.secure_version < device.min_secure_version) {", "if (false) {"),
    ("the battery is not asked before the restart", "src/engine/session_install.cpp",
     "if (!stands_in_wait_ && !gate_is_open(Phase::kReboot)) return kPausePoll;", "if (false) return kPausePoll;"),
    ("a half-written slot stays bootable", "src/engine/session_stage.cpp",
     "    OTA_TRY(c_.boot.invalidate_standby());\n", ""),
    ("a torn journal record counts", "src/install/journal.cpp",
     "if (load_le32(&header[12]) != crc) return 0U;", "if (false) return 0U;"),
    ("an abort leaves the slot armed", "src/engine/session_end.cpp",
     "    if (armed_) (void)c_.boot.disarm();\n    const UpdateStage", "    const UpdateStage"),
    ("credentials go to every host", "src/sources/https/https_source.cpp", "    if (is_own_origin()) {", "    if (true) {"),
    ("a redirect may leave https", "src/sources/https/https_source.cpp",
     "if (!parse_uri(url_.view(), parts) || !parts.is_https()) {\n        return fault(Code::kRefused, "
     "Detail::kRedirectInsecure);", "if (!parse_uri(url_.view(), parts)) {\n        return fault(Code::kRefused, "
     "Detail::kRedirectInsecure);"),
    ("bytes may hide behind the image", "src/verify/image_check.cpp",
     "return size == image_size_ || size == signature_offset_ + layout::kSignatureSectorSize;", "return size >= image_size_;"),
    ("a manifest's signature is not checked", "src/engine/session_suit.cpp",
     "    OTA_TRY(verify_manifest_signature(auth, c_.trusted, c_.settings.signatures_required));\n", ""),
    ("a payload need not be the signed one", "src/verify/verifier.cpp",
     "check_.size()));\n        return same ? kOkStatus : untrusted(Detail::kImageDigest);",
     "check_.size()));\n        return same ? kOkStatus : kOkStatus;"),
    ("an older sequence number is taken", "src/verify/suit_admission.cpp",
     "if (sequence > highest) return {};", "if (sequence != 0) return {};"),
    ("a job's code signature is passed by", "src/engine/session_stage.cpp",
     "        expected.signature = info_.file_signature;\n", ""),
    ("a job's code signature need not hold", "src/verify/verifier.cpp", "if (file_signature_.is_taken()) {", "if (false) {"),
    ("a revoked key goes on signing", "src/engine/manager.cpp",
     "    for (const Digest& key : journal_.revoked()) trusted_.revoke(key);\n", ""),
    ("a peer's failures wear the flash", "src/engine/attempt.cpp",
     "if (!touched_ && now < next_summary_) return true;", ""),
    ("old battery data counts as fresh", "src/safety/battery_gate.cpp",
     "if (age <= kBatteryMaxAge) return compare(now);", "if (age <= INT64_MAX - 1) return compare(now);"),
    ("a configuration need not be the signed one", "src/verify/verifier.cpp",
     "    if (config) OTA_TRY(check_config(*config));\n", ""),
    ("an image is paired with no configuration", "src/engine/session_install.cpp",
     "    if (!rearming_) OTA_TRY(pair());\n", ""),
    ("a configuration that is in use is overwritten", "src/engine/session_components.cpp",
     "if (pairing == nullptr || slot == c_.app.standby()) continue;",
     "if (pairing == nullptr || slot != c_.app.standby()) continue;"),
    ("a bank is written while its slot boots", "src/engine/session_components.cpp",
     "    if (kind == ComponentKind::kConfig) OTA_TRY(c_.boot.invalidate_standby());\n", ""),
    ("a digest alone says what is held", "src/engine/session_components.cpp",
     "if (!is_base && recorded_part(kind) != wanted) return false;",
     "if (!is_base && recorded_part(kind) != wanted) (void)0;"),
    ("boards are installed before apply", "src/engine/session_components.cpp",
     "if (downloading == is_board || to.kind == ComponentKind::kStage) {",
     "if (downloading && !is_board && to.kind == ComponentKind::kStage) {"),
    ("a cipher stays open for the next payload", "src/engine/session_suit.cpp",
     "    OTA_TRY(reader_.end());\n    suit_.cipher.close();\n", "    OTA_TRY(reader_.end());\n"),
    ("the door of Modbus stands open", "src/sources/modbus/modbus_writing.cpp",
     "if (needs_open_door(order) && !door_.is_open()) {", "if (false) {"),
    ("the door of UDS stands open", "src/sources/can/uds_server.cpp",
     "if (needs_open_door(service) && !door_.is_open()) return Nrc::kLocked;", ""),
    ("a wrong proof passes", "src/verify/access_check.cpp",
     "return equal_constant_time(Bytes(mac).first(proof.size()), proof);", "return true;"),
    ("a master that comes late is heard", "src/sources/modbus/modbus_writing.cpp",
     "if (has_session && load_be16(values.data()) != tag_) {", "if (false) {"),
    ("an order that comes again is executed again", "src/sources/modbus/modbus_writing.cpp",
     "if (has_sequence_ && sequence == sequence_done_) return Exception::kNone;", ""),
    ("one link writes into another's package", "src/sources/can/uds_transfer.cpp",
     "           desk_.bound_count() == transfer_of_;", "           true;"),
    ("two packages of one size are one", "src/sources/push_desk.cpp",
     " && offer.digest != Digest{};", ";"),
    ("a broadcast is executed", "src/sources/modbus/modbus_server.cpp",
     "if (target.is_broadcast || request.empty()) return 0;", "if (request.empty()) return 0;"),
]


def run(*command, **options):
    return subprocess.run([str(part) for part in command], cwd=COPY, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, **options)


def copy_tree():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, text=True, check=True, capture_output=True).stdout
    files = {name for name in listed.split() if (ROOT / name).exists()}
    for old in COPY.rglob("*"):
        inside = old.relative_to(COPY)
        if old.is_file() and inside.parts[0] != "build" and str(inside) not in files:
            old.unlink()
    for name in files:
        target = COPY / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists() or target.read_bytes() != (ROOT / name).read_bytes():
            shutil.copy(ROOT / name, target)


def build():
    """None, or what the compiler said."""
    result = run("cmake", "--build", "--preset", "host", "-j", JOBS, "--target", "unit_tests", "powercut")
    return None if result.returncode == 0 else result.stdout[-3000:]


def first_failure():
    """The name of a test that fails, or None."""
    binaries = COPY / "build" / "host" / "tests"
    unit = run(binaries / "unit_tests", "--gtest_brief=1", "--gtest_fail_fast",
               "--gtest_filter=-IoFault*:CApi*:Threads*:HttpCurl*", timeout=600)
    for line in unit.stdout.splitlines():
        if line.startswith("[  FAILED  ]"):
            return line.split()[3]
    if unit.returncode != 0:
        return "unit_tests ended early"
    cuts = run(binaries / "powercut", timeout=600)
    return "powercut" if cuts.returncode != 0 else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="first", type=int, default=1, help="number of the first mutant to try")
    first = parser.parse_args().first
    COPY.mkdir(parents=True, exist_ok=True)
    copy_tree()
    run("cmake", "--preset", "host")
    if (error := build()) is not None:
        raise SystemExit(error)
    if (failure := first_failure()) is not None:
        raise SystemExit(f"{failure} fails without any mutant")
    unnoticed = 0
    tried = MUTANTS[first - 1:]
    for name, file, line, other in tried:
        path = COPY / file
        text = path.read_text()
        if text.count(line) != 1:
            print(f"mutant '{name}' no longer fits {file}: name its line anew", file=sys.stderr)
            return 2
        path.write_text(text.replace(line, other))
        error = build()
        failure = "the compiler" if error and "error:" in error else None if error else first_failure()
        path.write_text(text)
        if failure == "the compiler":
            print(f"  FAILED {name}: the mutant does not compile\n{error[-600:]}", flush=True)
            unnoticed += 1
            continue
        unnoticed += failure is None
        print(f"  {'ok    ' if failure else 'FAILED'} {name}: {failure or 'no test notices'}", flush=True)
    print(f"{len(tried) - unnoticed} of {len(tried)} mutants noticed")
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main())

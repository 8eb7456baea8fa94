"""usage: run.py [CUTS]

Runs our code against Debian's own kernel in a virtual machine (QEMU, emulated: TCG): SocketCAN and the kernel's ISO-TP on
vcan and on two emulated controllers, FAT on an SD card and a USB drive, a stick that is pulled while it is read, and the log on a
card that loses power at CUTS moments (card_cuts.py).

Exit code 3: the kernel's package can't be had here."""

import gzip
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import card_cuts

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "kernel"
PROGRAMS = [ROOT / "build" / "host" / "tests" / name for name in ("kernel_test", "card_log")]
MODULES = ("vcan can-raw can-isotp kvaser_pci vfat nls_cp437 nls_ascii nls_utf8 usb-storage sdhci-pci mmc_block xhci-pci "
           "sd_mod dummy_hcd libcomposite usb_f_mass_storage virtio_pci virtio_blk").split()
LOG_CARD = 4 << 20  # bytes
MARKER = LOG_CARD - (64 << 10)  # behind the file system
LOG_LINES = 3000
SECONDS = 240


def run(*command, **options):
    return subprocess.run(list(map(str, command)), check=True, **options)


def kernel_package():
    listed = subprocess.run(["apt-cache", "depends", "linux-image-amd64"], text=True, capture_output=True).stdout
    found = re.search(r"Depends: (linux-image-[0-9]\S*)", listed)
    return found[1] if found else None


def unpack_kernel():
    """The kernel's files, from its package; None where it can't be had."""
    name = kernel_package()
    if name is None:
        return None
    version = name.removeprefix("linux-image-")
    tree = WORK / version
    if not (tree / "boot" / f"vmlinuz-{version}").exists():
        loaded = subprocess.run(["apt-get", "download", "-qq", name], cwd=WORK, capture_output=True)
        packages = sorted(WORK.glob(f"{name}_*.deb"))
        if loaded.returncode != 0 or not packages:
            return None
        run("dpkg", "-x", packages[-1], tree)
        packages[-1].unlink()
        run("/usr/sbin/depmod", "-b", tree, version)
    return tree, version


def module_files(tree, version):
    files = set()
    for module in MODULES:
        shown = run("/usr/sbin/modprobe", "-d", tree, "-S", version, "--show-depends", module, text=True, capture_output=True).stdout
        files |= {Path(line.split()[1]) for line in shown.splitlines() if line.startswith("insmod")}
    return sorted(files)


def build_root(tree, version):
    root = WORK / "root"
    shutil.rmtree(root, ignore_errors=True)
    modules = root / "lib" / "modules" / version
    for folder in ("bin", "sbin", "proc", "sys", "dev", "tmp", "mnt", "lib64", "lib/x86_64-linux-gnu"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    shutil.copy("/bin/busybox", root / "bin" / "busybox")
    ip = Path(shutil.which("ip", path="/usr/sbin:/sbin:/usr/bin:/bin"))
    shutil.copy(ip, root / "sbin" / "ip")
    for program in PROGRAMS:
        shutil.copy(program, root / "bin" / program.name)
    shutil.copy(ROOT / "tests" / "kernel" / "init", root / "init")
    (root / "init").chmod(0o755)
    for library in re.findall(r"(/\S+\.so\S*)", run("ldd", ip, text=True, capture_output=True).stdout):
        to = root / "lib64" if "ld-linux" in library else root / "lib" / "x86_64-linux-gnu"
        shutil.copy(library, to / Path(library).name)
    base = tree / "lib" / "modules" / version
    for file in module_files(tree, version):
        place = modules / file.relative_to(base)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, place)
    for name in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
        shutil.copy(base / name, modules / name)
    run("/usr/sbin/depmod", "-b", root, version)
    shutil.copy(WORK / "stick.img", root / "stick.img")
    return root


def fat_image(name, megabytes, size, file):
    """A FAT file system with one file of a pattern that kernel_test knows."""
    image = WORK / name
    with image.open("wb") as out:
        out.truncate(megabytes << 20)
    run("/usr/sbin/mkfs.vfat", image, capture_output=True)
    content = WORK / "content.bin"
    content.write_bytes(bytes((i * 13 + i // 256) % 256 for i in range(size)))
    run("mcopy", "-i", image, content, f"::{file}")
    content.unlink()
    return image


CARDS = {"log": card_cuts.log_is_there, "spool": card_cuts.spool_is_there}  # who judges what is left of it


def make_card(name):
    """A FAT file system with room for a marker behind it; and a copy of it as it is now."""
    card, before = WORK / f"{name}-card.img", WORK / f"{name}-card.before.img"
    with card.open("wb") as out:
        out.truncate(LOG_CARD)
    run("/usr/sbin/mkfs.vfat", card, MARKER // 1024, capture_output=True)
    shutil.copy(card, before)
    (WORK / f"{name}-card.writes").write_bytes(b"")


def card_options(name):
    return ["-blockdev", f"driver=file,node-name={name}-card,filename={WORK / f'{name}-card.img'}",
            "-blockdev", f"driver=file,node-name={name}-writes,filename={WORK / f'{name}-card.writes'}",
            "-blockdev", f"driver=blklogwrites,node-name={name},file={name}-card,log={name}-writes,log-sector-size=512",
            "-device", f"virtio-blk-pci,drive={name},write-cache=on"]


def pack(root):
    """The root as an initramfs."""
    names = run("find", ".", cwd=root, text=True, capture_output=True).stdout
    archive = run("cpio", "-o", "-H", "newc", "--quiet", cwd=root, input=names.encode(), stdout=subprocess.PIPE).stdout
    initrd = WORK / "initrd.gz"
    initrd.write_bytes(gzip.compress(archive, 1))
    return initrd


def boot(tree, version, initrd, card, drive):
    # TCG only: where /dev/kvm is there without the host's features, KVM hangs silently.
    command = ["qemu-system-x86_64", "-M", "pc", "-accel", "tcg", "-cpu", "max", "-smp", "1", "-m", "384", "-nodefaults",
               "-no-reboot", "-display", "none", "-serial", "stdio",
               "-kernel", tree / "boot" / f"vmlinuz-{version}", "-initrd", initrd,
               "-append", f"console=ttyS0 quiet panic=-1 log_marker={MARKER} log_lines={LOG_LINES}",
               *[option for name in CARDS for option in card_options(name)],
               "-object", "can-bus,id=bus", "-device", "kvaser_pci,canbus=bus", "-device", "kvaser_pci,canbus=bus",
               "-device", "qemu-xhci,id=xhci", "-drive", f"if=none,id=usb,format=raw,file={drive}",
               "-device", "usb-storage,bus=xhci.0,drive=usb,removable=on",
               "-device", "sdhci-pci", "-drive", f"if=none,id=sd,format=raw,file={card}", "-device", "sd-card,drive=sd"]
    try:
        return subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                              timeout=SECONDS).stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as late:
        return (late.stdout or b"").decode(errors="replace") + f"\nKERNEL FAIL no end within {SECONDS} s\n"


def cut_power_of_card(name, cuts):
    """A line of the report."""
    begun = time.monotonic()
    findings, made = card_cuts.check(WORK / f"{name}-card.before.img", WORK / f"{name}-card.writes", MARKER // 512, cuts,
                                     CARDS[name])
    print("\n".join(findings[:5]))
    verdict = "FAIL" if findings else "ok"
    return f"{verdict} the card of the {name} lost power {made} times: {len(findings)} findings, {time.monotonic() - begun:.0f} s"


def main():
    WORK.mkdir(parents=True, exist_ok=True)
    unpacked = unpack_kernel()
    if unpacked is None:
        print("the package of Debian's kernel (linux-image-amd64) can't be had here")
        return 3
    tree, version = unpacked
    card = fat_image("card.img", 8, 300000, "bess.bin")
    drive = fat_image("drive.img", 8, 300000, "bess.bin")
    fat_image("stick.img", 8, 6200000, "bess.bin")
    for name in CARDS:
        make_card(name)
    output = boot(tree, version, pack(build_root(tree, version)), card, drive)
    lines = [line.strip().removeprefix("KERNEL ") for line in output.splitlines() if "KERNEL " in line]
    lines += [cut_power_of_card(name, int(sys.argv[1]) if len(sys.argv) > 1 else 200) for name in CARDS]
    print("\n".join(lines))
    failed = sum(line.startswith("FAIL") for line in lines)
    if "end" not in lines:
        print("\n".join(output.splitlines()[-30:]))
        failed += 1
    print(f"{sum(line.startswith('ok') for line in lines)} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

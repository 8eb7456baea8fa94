"""Loses power at random moments of what was written to a card, in random ways, and looks at what is left.

The record is QEMU's blklogwrites, in the format of Linux's dm-log-writes: each write and each flush, in order. What came before a
flush is on the card; of what came after it any part may be, sector by sector. fsck.fat and mtools judge, and each line that
was durable has to be there."""

import random
import re
import struct
import subprocess
import tempfile
from pathlib import Path

SECTOR = 512
FLUSH, FUA, DISCARD = 1, 2, 4
MAGIC = 0x6A736677736872
ROOM = 100  # lines that the files of a log hold at least, once there were so many
MARK = b"\n--\n"  # of a whole file of the spool
LINE = re.compile(rb"1a2b3c4d:(\d+) [^\n]*\n")


def record(path):
    """(flags, first sector, bytes) of each write."""
    data = path.read_bytes()
    magic, _, count, sector_size = struct.unpack_from("<QQQI", data)
    assert magic == MAGIC and sector_size == SECTOR, "no log of dm-log-writes"
    at, out = SECTOR, []
    for _ in range(count):
        first, sectors, flags, _ = struct.unpack_from("<QQQQ", data, at)
        at += SECTOR
        size = 0 if flags & DISCARD else sectors * SECTOR
        out.append((flags, first, data[at:at + size]))
        at += size
    return out


def pieces(write):
    _, first, data = write
    return [(first + k, data[k * SECTOR:(k + 1) * SECTOR]) for k in range(len(data) // SECTOR)]


def put(image, write):
    image[write[1] * SECTOR:write[1] * SECTOR + len(write[2])] = write[2]


class Card:
    def __init__(self, image, marker_sector):
        self.durable = bytearray(image)
        self.pending = []  # written since the last flush
        self.marker_sector, self.marked = marker_sector, (0, 0)

    def take(self, write):
        flags, first, data = write
        if flags & FLUSH:
            for earlier in self.pending:
                put(self.durable, earlier)
            self.pending = []
        if not data:
            return
        if flags & FUA:
            put(self.durable, write)
        self.pending.append(write)
        if first <= self.marker_sector < first + len(data) // SECTOR:
            first, last = data.partition(b"DURABLE ")[2].split(b"\n")[0].split()
            self.marked = int(first), int(last)

    def after_a_cut(self, rng):
        """Of what was under way: a prefix, any writes, or any sectors, in any order."""
        image, way = bytearray(self.durable), rng.randrange(3)
        if way == 0:
            for write in self.pending[:rng.randint(0, len(self.pending))]:
                put(image, write)
        elif way == 1:
            for write in self.pending:
                if rng.random() < 0.5:
                    put(image, write)
        else:
            for sector, data in (piece for write in self.pending for piece in pieces(write)):
                if rng.random() < 0.5:
                    image[sector * SECTOR:(sector + 1) * SECTOR] = data
        return image


def mtools(tool, path, *what):
    return subprocess.run([tool, "-i", path, *what], capture_output=True, env={"MTOOLS_SKIP_CHECK": "1"})


def text_of(path):
    """Of all files that can be read: one that was about to be removed, or had just been made, may be broken."""
    read = mtools("mtype", path, "::/log/*")
    if not read.stderr:
        return read.stdout
    names = mtools("mdir", path, "-b", "::/log/").stdout.decode().split()
    return b"".join(mtools("mtype", path, name).stdout for name in names)


def lines_of(text):
    return {int(number) for number in LINE.findall(text)}


def log_is_there(path, _, last):
    lines, kept = lines_of(text_of(path)), 0
    while last - kept in lines:
        kept += 1
    return kept >= min(last, ROOM)


def spool_is_there(path, first, last):
    """As LogSpool loads it: the newest file that is whole counts."""
    names = sorted(mtools("mdir", path, "-b", "::/log/").stdout.decode().split(), reverse=True)
    for text in (mtools("mtype", path, name).stdout for name in names):
        if MARK in b"\n" + text:
            return lines_of(text) >= set(range(first, last + 1))
    return False


def look_at(path, marked, is_there):
    """What is wrong with the card; empty: nothing that a loss of power may not do."""
    checked = subprocess.run(["/usr/sbin/fsck.fat", "-n", path], capture_output=True, text=True)
    if checked.returncode not in (0, 1) or "share clusters" in checked.stdout:
        return "fsck.fat: " + checked.stdout + checked.stderr
    if marked[1] and not is_there(path, *marked):
        return f"lines {marked[0]} to {marked[1]} were durable and are not all there"
    return ""


def check(image, log, marker_sector, cuts, is_there, seed=1):
    """Findings, and how many cuts were made."""
    writes, rng = record(log), random.Random(seed)
    moments = sorted(rng.randint(1, len(writes)) for _ in range(cuts))
    card, findings, at = Card(image.read_bytes(), marker_sector), [], 0
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        path = Path(folder) / "card.img"
        for moment in moments:
            while at < moment:
                card.take(writes[at])
                at += 1
            path.write_bytes(card.after_a_cut(rng)[:marker_sector * SECTOR])
            wrong = look_at(path, card.marked, is_there)
            if wrong:
                findings.append(f"power lost behind write {moment} of {len(writes)}: {wrong}")
    return findings, len(moments)

"""Bytes on the wire of a check without a change, and of a download that breaks at half; the twin against a real
nginx through a counting proxy. Prints a table; exit code 1 when a bound is exceeded."""

import shutil
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests" / "integration")]

from certificates import Authority  # noqa: E402
from nginx import Nginx  # noqa: E402
from scripted_server import Proxy  # noqa: E402
from twin import Twin, make_image, otactl  # noqa: E402


class Bench:
    def __init__(self, folder):
        self.folder = folder
        key, public = folder / "key.pem", folder / "key.pub.pem"
        otactl("keygen", "--type", "rsa3072", key, public)
        self.authority = Authority(folder)
        self.certificate = self.authority.issue("server")
        self.twin = Twin(folder, public)
        self.twin.battery.write_text("soc=80\n")
        self.twin.create_flash(make_image("good", "1.0.0", folder / "base.bin", key))
        self.root = folder / "www"
        self.root.mkdir()
        make_image("newer", "1.1.0", self.root / "bess.bin", key, padding=1350000)
        self.size = (self.root / "bess.bin").stat().st_size

    def power_on(self, proxy, **options):
        self.twin.power_on(sd=False, url=proxy.url(), ca=self.authority.certificate, **options)

    def check(self, proxy, ends_with):
        """Bytes of one check, both directions."""
        before = proxy.to_client + proxy.to_server
        assert self.twin.ask("check") == "ok"
        self.twin.wait_for("CHECKING")
        self.twin.wait_for(ends_with)
        time.sleep(0.2)
        return proxy.to_client + proxy.to_server - before


def download(bench, proxy, break_after=None):
    """Bytes to the device for the download alone, and of the check before it in both directions."""
    connections = proxy.connections
    bench.power_on(proxy)
    first_check = bench.check(proxy, "UPDATE_AVAILABLE")
    before = proxy.to_client
    proxy.cut_after = before + break_after if break_after else None
    assert bench.twin.ask("start") == "ok"
    bench.twin.wait_for("READY_TO_APPLY", 30)
    assert proxy.connections == connections + (2 if break_after else 1)
    return proxy.to_client - before, first_check


def unchanged_checks(bench, proxy):
    connections = proxy.connections
    bench.power_on(proxy)
    fresh = bench.check(proxy, "unchanged")
    kept = bench.check(proxy, "unchanged")
    assert proxy.connections == connections + 1
    time.sleep(2.5)  # the server closes what is idle
    resumed = bench.check(proxy, "unchanged")
    assert proxy.connections == connections + 2
    bench.twin.kill()
    return fresh, resumed, kept


def main():
    with tempfile.TemporaryDirectory(prefix="bess-wire-") as folder:
        bench = Bench(Path(folder))
        try:
            with Nginx(bench.folder, bench.root, bench.certificate,
                       "keepalive_timeout 2s;", "ssl_session_cache shared:s:1m;") as nginx, \
                    Proxy(nginx.port) as proxy:
                whole, first_check = download(bench, proxy)
                bench.twin.kill()
                bench.twin.create_flash(bench.folder / "base.bin")
                broken, _ = download(bench, proxy, break_after=bench.size // 2)
                assert bench.twin.ask("apply") == "ok"
                bench.twin.wait_for("CONFIRMED", 30)
                bench.twin.kill()
                fresh, resumed, kept = unchanged_checks(bench, proxy)
                reused = [line.split()[-2] for line in nginx.seen()][-3:]
        finally:
            bench.twin.kill()
            shutil.rmtree(bench.folder / "www", ignore_errors=True)
    bound = whole + 4096 + fresh
    print(f"wire bytes, TLS 1.3 and P-256 certificate, both directions:\n"
          f"  first look at a new package (288 bytes of it)  {first_check}\n"
          f"  check without a change, new connection         {fresh}\n"
          f"  the same, TLS session resumed                  {resumed}\n"
          f"  the same, connection kept alive                {kept}\n"
          f"bytes to the device for an image of {bench.size}: {whole} ({whole / bench.size:.4f}); with the connection "
          f"broken at half: {broken} ({broken / bench.size:.4f}), {broken - whole} more\n"
          f"  bound: one sector and a handshake more, {4096 + fresh}: {'met' if broken <= bound else 'MISSED'}")
    good = broken <= bound and kept < resumed < fresh and reused == [".", ".", "r"]
    if not good:
        print("a bound is exceeded, or a connection or session was not used again", reused)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

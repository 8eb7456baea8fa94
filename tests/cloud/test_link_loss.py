"""Real link loss on the way to AWS IoT: device and broker in network namespaces of their own."""

import ctypes
import os
import time

import pytest

from aws_stand_in import Cloud
from test_https_link_loss import SERVER, Cable, can_make_namespaces
from test_jobs import THING, by_stream

CLONE_NEWNET = 0x40000000
TIME_SCALE = 5


class Inside:
    """A network namespace, for commands and for sockets that a function opens."""

    def __init__(self, name):
        self.name = name
        self.wrapper = ("ip", "netns", "exec", name)

    def run(self, function):
        libc = ctypes.CDLL(None, use_errno=True)
        own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        other = os.open(f"/run/netns/{self.name}", os.O_RDONLY)
        try:
            assert libc.setns(other, CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
            return function()
        finally:
            assert libc.setns(own, CLONE_NEWNET) == 0
            os.close(own)
            os.close(other)


# 20 s TCP mends by itself; after 100 s several requests were made in vain.
@pytest.mark.parametrize("loss", ["down-for-20-s", "down-for-100-s", "other-address"])
def test_link_loss_in_a_stream(tmp_path, twin, shelf, loss):
    if not can_make_namespaces():
        pytest.skip("needs the right to make network namespaces (root, CAP_SYS_ADMIN)")
    from certificates import Authority
    authority = Authority(tmp_path)
    image = shelf.image("newer", "1.1.0", padding=1500000)
    with Cable() as cable:
        cloud = Cloud(tmp_path, authority, address=SERVER, inside=Inside(cable.server))
        try:
            job = cloud.create_job(THING, "job-1", by_stream(cloud, image))
            twin.wrapper = ["ip", "netns", "exec", cable.device]
            twin.power_on("--flash-timing", sd=False, aws=f"{SERVER}:{cloud.broker.port}", thing=THING,
                          ca=authority.certificate, client=authority.issue(THING, f"DNS:{THING}").combined(), auto=1,
                          time_scale=TIME_SCALE)
            twin.wait_for_progress(25, 40)
            if loss == "other-address":
                cable.move()
            else:
                cable.pull()
                time.sleep(int(loss.split("-")[2]) / TIME_SCALE)
                cable.plug()
            twin.wait_for("CONFIRMED", 120)
            cloud.wait_for(job, "SUCCEEDED", 60)
            assert cloud.blocks_sent * 4096 <= 1.1 * image.stat().st_size, f"{cloud.blocks_sent} blocks"
            assert [status for status, _ in job.history].count("SUCCEEDED") == 1
        finally:
            cloud.close()

import pytest
from pytest_embedded import Dut


@pytest.mark.host_test
@pytest.mark.parametrize("target", ["linux"], indirect=True)
def test_port_contracts(dut: Dut) -> None:
    dut.expect(r"\d+ passed, 0 failed", timeout=60)

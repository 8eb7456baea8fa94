"""The twin's MQTT client keeps the port's contract at a real broker, as the adapter of esp-mqtt does over its model
(tests/unit/platform/esp_mqtt_test.cpp)."""

import subprocess

from aws_stand_in import Broker
from twin import BUILD


def test_mqtt_contract(tmp_path, authority):
    own = authority.issue("contract")
    broker = Broker(tmp_path, authority)
    program = BUILD / "tests" / "mqtt_contract"
    try:
        result = subprocess.run([program, str(broker.port), authority.certificate, own.certificate, own.key], text=True,
                                capture_output=True, timeout=120)
    finally:
        broker.stop()
    assert result.returncode == 0, result.stdout + result.stderr
    assert "2 passed, 0 failed" in result.stdout

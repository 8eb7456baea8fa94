"""What the README shows first."""

import subprocess
import sys

from twin import ROOT


def test_demo_shows_everything_over_https():
    result = subprocess.run([sys.executable, ROOT / "tools" / "demo.py"], text=True, capture_output=True, timeout=120,
                            check=False)
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr
    summary = result.stdout[result.stdout.index("Seen, in "):]
    assert summary.count("ok  ") == 6
    assert 'server: ' in result.stdout and "1.1.0 is back: crashed before it was confirmed" in summary

"""A process whose Kafka client hangs is ended from outside the call, and says where it hung."""

import subprocess
import sys


def test_a_process_whose_transaction_hangs_ends_with_4() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.unit.hanging"], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 4, ended.stderr
    assert "hanging-1 ends at once: a call of the Kafka client hangs" in ended.stderr
    # The stacks of all threads follow, the hanging one among them.
    assert "in commit" in ended.stderr

"""What having the plugin installed costs a project that does not use it.

Starts pytest with the plugin and with ``-p no:sessioneval`` in turn, on an empty
folder and with ``--co`` on a folder of ordinary tests, and prints the median of
the ratios of each pair. Claim: at most 1.03.

    python benchmarks/idle_tax.py [PAIRS]
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PAIRS = int(sys.argv[1]) if len(sys.argv) > 1 else 41


def seconds(folder: Path, *arguments: str) -> float:
    """Return the wall time of one pytest run in that folder."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, capture_output=True, check=False)
    return time.perf_counter() - start


def compare(folder: Path, *arguments: str) -> tuple[float, float]:
    """Return (median ratio, median seconds without) over interleaved pairs, warmed up."""
    without = ("-p", "no:sessioneval")
    seconds(folder, *arguments)
    seconds(folder, *without, *arguments)
    ratios, plain = [], []
    for pair in range(PAIRS):
        # The order alternates: whatever the machine does to the second run of a
        # pair happens to both sides alike.
        if pair % 2:
            off = seconds(folder, *without, *arguments)
            on = seconds(folder, *arguments)
        else:
            on = seconds(folder, *arguments)
            off = seconds(folder, *without, *arguments)
        ratios.append(on / off)
        plain.append(off)
    return statistics.median(ratios), statistics.median(plain)


def main() -> None:
    """Print one line per case."""
    with tempfile.TemporaryDirectory() as name:
        empty = Path(name) / "empty"
        empty.mkdir()
        tests = Path(name) / "tests"
        tests.mkdir()
        for number in range(20):
            body = "".join(f"def test_{n}(): pass\n" for n in range(25))
            (tests / f"test_{number}.py").write_text(body, encoding="utf-8")
        for label, folder, arguments in (
            ("empty run", empty, ()),
            ("--co of 500 tests in 20 files", tests, ("--co",)),
        ):
            ratio, plain = compare(folder, *arguments)
            print(f"{label}: ratio {ratio:.3f} (claim <= 1.03), {plain:.3f} s without, n={PAIRS}")


if __name__ == "__main__":
    main()

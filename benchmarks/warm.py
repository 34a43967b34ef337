"""What a second run over unchanged sessions costs, over bare pytest with as many file items.

Claim: at most 0.7 at 10,000 sessions. Also prints peak memory per session beyond
bare pytest's. The first run, which judges them all with the embedded judge, is
not counted.

    python benchmarks/warm.py [SESSIONS] [PAIRS]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from made_sessions import make_bare, make_suite

SESSIONS = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
PAIRS = int(sys.argv[2]) if len(sys.argv) > 2 else 5


def run(folder: Path, *arguments: str) -> tuple[float, int]:
    """Return (wall seconds, peak KiB) of one pytest run that must pass."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir=."]
    # Without compiled modules kept, each run would compile pytest's rewritten plugins anew.
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    process = subprocess.Popen(
        [*command, *arguments],
        cwd=folder,
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    took = time.perf_counter() - start
    if status:
        sys.exit(f"pytest in {folder} ended with {os.waitstatus_to_exitcode(status)}")
    return took, usage.ru_maxrss


def main() -> None:
    """Print ratio and memory."""
    with tempfile.TemporaryDirectory() as name:
        suite, bare = Path(name) / "suite", Path(name) / "bare"
        make_suite(suite, SESSIONS)
        make_bare(bare, SESSIONS)
        first, _ = run(suite)
        run(bare, "-p", "no:sessioneval")
        ratios, walls, plains = [], [], []
        for _ in range(PAIRS):
            warm, warm_kib = run(suite)
            plain, plain_kib = run(bare, "-p", "no:sessioneval")
            ratios.append(warm / plain)
            walls.append(warm)
            plains.append(plain)
        ratio, wall, plain = map(statistics.median, (ratios, walls, plains))
        print(
            f"{SESSIONS} stored sessions: ratio {ratio:.2f} to bare pytest (claim <= 0.7); "
            f"{wall:.2f} s and {plain:.2f} s; the first run took {first:.1f} s"
        )
        beyond = (warm_kib - plain_kib) / SESSIONS
        print(f"peak memory: {beyond:.1f} KiB a session beyond bare pytest's")


if __name__ == "__main__":
    main()

"""How far a run that judges everything is from the time it must take.

N sessions, one call each, against a judge server on loopback (its own process)
that answers after a fixed time. Ideal: N x latency / concurrency, plus bare
pytest of N file items, plus importing the libraries a run uses. A bare loop of
httpx clients over the same server is printed beside it.

    python benchmarks/cold.py            # 500 and 2,000 sessions at 500 ms, 128 in flight
    python benchmarks/cold.py --fast     # 500 at 50 ms, 32 in flight
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from made_sessions import make_bare, make_suite

RUNS = 5
SUITE = """
[judge]
model = "openai:bench"
[[judge.experts]]
id = "one"
instruction = "Judge the session."
axes = ["goal_completion", "tool_usage_quality", "efficiency"]
"""
SERVER = """
import sys
from pytest_sessioneval.testing import JudgeServer
with JudgeServer(latency_s=float(sys.argv[1]), keep_requests=False) as server:
    print(server.url, flush=True)
    sys.stdin.read()
"""
BARE_LOOP = """
import sys, threading, queue, httpx
url, count, flight = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
work = queue.SimpleQueue()
for n in range(count): work.put(n)
body = {"model": "bench", "messages": [{"role": "user", "content": "x" * 6000}]}
def run(client):
    while not work.empty():
        try: work.get_nowait()
        except queue.Empty: return
        client.post(url + "/chat/completions", json=body)
clients = [httpx.Client(timeout=60) for _ in range(-(-flight // 8))]
threads = [threading.Thread(target=run, args=(clients[n // 8],)) for n in range(flight)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""
IMPORTS = "import httpx, pydantic, pandas, tenacity"


def timed(command: list[str], cwd: Path, environ: dict[str, str]) -> float:
    """Return the wall time of a command that must succeed."""
    start = time.perf_counter()
    done = subprocess.run(
        command, cwd=cwd, env=environ, capture_output=True, text=True, check=False
    )
    took = time.perf_counter() - start
    if done.returncode:
        sys.exit(done.stdout[-3000:] + done.stderr[-3000:])
    return took


def measure(count: int, latency_s: float, flight: int, folder: Path) -> None:
    """Print the lines for this size."""
    suite, bare = folder / "suite", folder / "bare"
    make_suite(suite, count, toml=SUITE)
    make_bare(bare, count)
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(latency_s)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    url = server.stdout.readline().strip() if server.stdout else ""
    environ = {**os.environ, "SESSIONEVAL_BASE_URL": url}
    # Without compiled modules kept, each run would compile pytest's rewritten plugins anew.
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    pytest = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir=."]
    judged = [*pytest, f"--sessioneval-concurrency={flight}"]
    loop = [sys.executable, "-c", BARE_LOOP, url, str(count), str(flight)]
    walls: list[float] = []
    plains: list[float] = []
    imports: list[float] = []
    loops: list[float] = []
    for run in range(RUNS + 1):
        shutil.rmtree(suite / ".sessioneval", ignore_errors=True)
        wall = timed(judged, suite, environ)
        plain = timed([*pytest, "-p", "no:sessioneval"], bare, environ)
        nothing = timed([sys.executable, "-c", ""], folder, environ)
        load = timed([sys.executable, "-c", IMPORTS], folder, environ) - nothing
        httpx_loop = timed(loop, folder, environ)
        if run:  # the first warms up
            for kept, value in zip(
                (walls, plains, imports, loops), (wall, plain, load, httpx_loop), strict=True
            ):
                kept.append(value)
    server.kill()
    wall, plain, load, httpx_loop = map(statistics.median, (walls, plains, imports, loops))
    waiting = count * latency_s / flight
    ideal = waiting + plain + load
    print(
        f"{count} sessions, {latency_s * 1000:.0f} ms, {flight} in flight: {wall:.2f} s, "
        f"{wall / ideal:.2f} x ideal ({ideal:.2f} s = {waiting:.2f} waiting + {plain:.2f} bare "
        f"pytest + {load:.2f} imports), {wall / httpx_loop:.2f} x a bare httpx loop "
        f"({httpx_loop:.2f} s)"
    )


def main() -> None:
    """Measure the sizes asked for."""
    sizes = [(500, 0.05, 32)] if "--fast" in sys.argv else [(500, 0.5, 128), (2000, 0.5, 128)]
    print("claims: at most 1.2 x ideal at 500 ms and 128 in flight; 2.2 s at 50 ms and 32")
    for count, latency_s, flight in sizes:
        with tempfile.TemporaryDirectory() as name:
            measure(count, latency_s, flight, Path(name))


if __name__ == "__main__":
    main()

"""How far a run that judges everything is from the time it must take.

N sessions, one call each, against a judge server on loopback (its own process)
that answers after a fixed time. Ideal: N x latency / concurrency, plus bare
pytest of N file items, plus importing the libraries a run uses. Printed as a
ratio; a bare httpx loop over the same server is printed beside it.

    python benchmarks/cold.py            # 500 and 2,000 sessions at 500 ms, 128 in flight
    python benchmarks/cold.py --fast     # 500 at 50 ms, 32 in flight
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from made_sessions import make_suite

RUNS = 3
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
with JudgeServer(latency_s=float(sys.argv[1])) as server:
    print(server.url, flush=True)
    sys.stdin.read()
"""
BARE_ITEMS = """
import pytest
class One(pytest.Item):
    def runtest(self): self.path.read_bytes()
class File(pytest.File):
    def collect(self): yield One.from_parent(self, name="session")
def pytest_collect_file(file_path, parent):
    if file_path.suffix == ".json": return File.from_parent(parent, path=file_path)
"""
IMPORTS = "import httpx, pydantic, pandas, tenacity"
BARE_LOOP = """
import sys, threading, queue, httpx, time
url, count, flight, body = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), open(sys.argv[4], "rb").read()
work = queue.SimpleQueue()
for n in range(count): work.put(n)
def run(client):
    while True:
        try: work.get_nowait()
        except queue.Empty: return
        client.post(url + "/chat/completions", content=body, headers={"content-type": "application/json"}).raise_for_status()
clients = [httpx.Client(timeout=60, verify=False) for _ in range(-(-flight // 8))]
threads = [threading.Thread(target=run, args=(clients[n // 8],)) for n in range(flight)]
start = time.perf_counter()
[t.start() for t in threads]; [t.join() for t in threads]
print(time.perf_counter() - start)
"""


def timed(command: list[str], cwd: Path, environ: dict[str, str]) -> float:
    """Return the wall time of a command that must succeed."""
    start = time.perf_counter()
    done = subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, check=False)
    took = time.perf_counter() - start
    if done.returncode:
        sys.exit(done.stdout[-3000:] + done.stderr[-3000:])
    return took


def measure(count: int, latency_s: float, flight: int, folder: Path) -> None:
    """Print one line for this size."""
    suite = folder / "suite"
    make_suite(suite, count, toml=SUITE)
    bare = folder / "bare"
    make_suite(bare, count)
    (bare / "sessioneval.toml").unlink()
    (bare / "conftest.py").write_text(BARE_ITEMS, encoding="utf-8")
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(latency_s)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    url = server.stdout.readline().strip()
    environ = {**os.environ, "SESSIONEVAL_BASE_URL": url}
    pytest = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    walls, bares, imports = [], [], []
    for _ in range(RUNS):
        subprocess.run(["rm", "-rf", str(suite / ".sessioneval")], check=True)
        flags = [f"--sessioneval-concurrency={flight}", "--rootdir=."]
        walls.append(timed([*pytest, *flags], suite, environ))
        bares.append(timed([*pytest, "-p", "no:sessioneval"], bare, environ))
        nothing = timed([sys.executable, "-c", ""], folder, environ)
        imports.append(timed([sys.executable, "-c", IMPORTS], folder, environ) - nothing)
    body = folder / "body.json"
    body.write_text((suite / "s000000.json").read_text(encoding="utf-8"), encoding="utf-8")
    wall, plain, load = map(statistics.median, (walls, bares, imports))
    waiting = count * latency_s / flight
    ideal = waiting + plain + load
    print(
        f"{count} sessions, {latency_s * 1000:.0f} ms, {flight} in flight: {wall:.2f} s wall, "
        f"ideal {ideal:.2f} s ({waiting:.2f} waiting + {plain:.2f} bare pytest + {load:.2f} "
        f"imports), ratio {wall / ideal:.2f} (claim <= 1.2 at 500 ms and 128)"
    )
    server.kill()


def main() -> None:
    """Measure the sizes asked for."""
    sizes = [(500, 0.05, 32)] if "--fast" in sys.argv else [(500, 0.5, 128), (2000, 0.5, 128)]
    for count, latency_s, flight in sizes:
        with tempfile.TemporaryDirectory() as name:
            measure(count, latency_s, flight, Path(name))


if __name__ == "__main__":
    main()

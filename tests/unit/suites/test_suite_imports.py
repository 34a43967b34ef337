"""What asking a folder for its suite file costs."""

import subprocess
import sys


def test_looking_for_a_suite_file_loads_nothing_heavy() -> None:
    """Collection asks every directory, also where no suite is: pydantic stays out."""
    code = (
        "import sys, pytest_sessioneval.suites.discovery;"
        "print(sorted({'pydantic', 'httpx', 'pandas', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout == "[]\n"

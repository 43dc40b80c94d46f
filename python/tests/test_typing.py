"""The package is typed: mypy's strict mode has nothing to say."""

import subprocess
import sys
from pathlib import Path

import dorsalgia


def test_mypy():
    root = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-m", "mypy", "--config-file", "pyproject.toml"], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert (Path(dorsalgia.__file__).parent / "py.typed").exists()

"""The QEMU tests use the programs of the end-to-end tests."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
import herdlib  # noqa: E402


@pytest.fixture
def programs(tmp_path):
    own = herdlib.Programs(tmp_path)
    yield own
    own.end()


@pytest.fixture
def new_herd(programs):
    return lambda *args, **named: herdlib.Herd(programs, *args, **named)


@pytest.fixture
def new_standin(programs):
    return lambda *args, **named: herdlib.Standin(programs, *args, **named)

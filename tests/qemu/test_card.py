"""hal_flash of lm3s6965evb on a microSD card, as QEMU emulates both: tests/target/flash_check.c."""

import hashlib
import importlib.machinery
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "build/boards/lm3s6965evb/flash-check.elf"

pytestmark = pytest.mark.skipif("lm3s6965evb" not in os.environ.get("HERD_BOARDS", "lm3s6965evb"),
                                reason="this board is not tested now")


def qemu_run():
    sys.dont_write_bytecode = True
    loader = importlib.machinery.SourceFileLoader("qemu_run", str(ROOT / "tools/qemu-run/qemu-run"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("qemu_run", loader))
    loader.exec_module(module)
    return module


def check(card=None):
    """The program's verdict, and what it found: {"generation": 1, ...}."""
    words = ["qemu-system-arm", "-M", "lm3s6965evb", "-kernel", PROGRAM, "-display", "none",
             "-monitor", "none", "-serial", "stdio", "-nic", "none",
             "-semihosting-config", "enable=on,target=native"]
    if card:
        words += ["-drive", f"if=sd,format=raw,file={card}"]
    result = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
                            check=False)
    output = result.stdout.decode()
    found = {key: int(value) for key, value in re.findall(r"^(.+) (\d+)\r$", output, re.M)}
    assert (result.returncode == 0) == ("good" in output), output
    return result.returncode == 0, found, output


def digest(card):
    return hashlib.sha256(card.read_bytes()).hexdigest()


@pytest.mark.parametrize("mb", [64, 4096], ids=["SDSC", "SDHC"])
def test_what_a_run_wrote_is_there_in_the_next_one(tmp_path, mb):
    card = tmp_path / "card"
    qemu_run().make_card(card, mb)
    for generation in range(3):
        good, found, output = check(card)
        assert good and found["generation"] == generation, output
        assert found["bytes"] == 262144
    with open(card, "rb") as file:  # the card's other blocks
        file.seek(512)
        assert file.read(2047 * 512).count(0) == 2047 * 512
        assert file.read(32) == b"herd storage, version 1\r\n\x1a".ljust(32, b"\0")


def test_a_card_that_is_not_herds_is_refused_and_stays_as_it_is(tmp_path):
    card = tmp_path / "card"
    make_card = qemu_run().make_card
    for spoil_at, spoil in ((0x1C2, b"\x0c"),  # a FAT partition
                            (510, b"\0\0"),  # no partitions: a file system may begin here
                            ((2048 + 8192) * 512, b"photograph")):  # data where herd's would be
        make_card(card)
        with open(card, "r+b") as file:
            file.seek(spoil_at)
            file.write(spoil)
        before = digest(card)
        good, found, output = check(card)
        assert not good and found["start"] == 2 and found["bytes"] == 0, output
        assert digest(card) == before


def test_an_empty_slot_is_absent_soon():
    good, found, output = check()
    assert not good and found["start"] == 1 and found["start us"] < 100_000, output

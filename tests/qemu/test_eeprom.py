"""hal_flash of mps2-an385 on a 24x512 EEPROM, as QEMU emulates both: tests/target/flash_check.c."""

import os
import re
import subprocess

import pytest

import herdlib
from test_card import digest, qemu_run

BOARDS = [board for board in os.environ.get("HERD_BOARDS", "mps2-an385").split()
          if board.startswith("mps2-an385")]

pytestmark = pytest.mark.skipif(not BOARDS, reason="this board is not tested now")


def check(*options):
    """The program's verdict, and what it found: {"generation": 1, ...}."""
    program = herdlib.BIN / "boards" / BOARDS[0] / "flash-check.elf"
    words = ["qemu-system-arm", "-M", "mps2-an385", "-kernel", program, "-display", "none",
             "-monitor", "none", "-serial", "stdio", "-nic", "none",
             "-semihosting-config", "enable=on,target=native", *options]
    result = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
                            check=False)
    output = result.stdout.decode()
    found = {key: int(value) for key, value in re.findall(r"^(.+) (\d+)\r$", output, re.M)}
    assert (result.returncode == 0) == ("good" in output), output
    return result.returncode == 0, found, output


def test_what_a_run_wrote_is_there_in_the_next_one(tmp_path):
    plugged = qemu_run().keep("eeprom", tmp_path / "eeprom")
    for generation in range(3):
        good, found, output = check(*plugged)
        assert good and found["generation"] == generation, output
        assert found["bytes"] == 65536
    image = (tmp_path / "eeprom").read_bytes()
    blank = image.count(b"\xff" * 128)
    assert len(image) == 65536 and 480 <= blank < 512, "pages that nobody wrote are as they were"
    assert (tmp_path / "eeprom").stat().st_mode & 0o777 == 0o600


def test_no_chip_is_absent_soon():
    good, found, output = check()
    assert not good and found["start"] == 1 and found["start us"] < 100_000, output


def test_a_chip_at_another_address_is_not_ours():
    good, found, output = check("-device", "at24c-eeprom,bus=i2c,address=0x51,rom-size=65536")
    assert not good and found["start"] == 1, output


def test_a_chip_that_is_too_small_is_refused_and_stays_as_it_is(tmp_path):
    path = tmp_path / "eeprom"
    path.write_bytes(bytes(range(256)) * 128)
    good, found, output = check("-drive", f"if=none,id=e,format=raw,file={path}", "-device",
                                "at24c-eeprom,bus=i2c,address=0x50,rom-size=32768,drive=e")
    assert not good and found["start"] == 2 and found["bytes"] == 0, output
    assert path.read_bytes() == bytes(range(256)) * 128


def test_a_file_that_is_no_eeprom_is_refused(tmp_path):
    path = tmp_path / "poem"
    path.write_text("so much depends\n")
    before = digest(path)
    with pytest.raises(SystemExit, match="16 bytes are not the eeprom of this board"):
        qemu_run().keep("eeprom", path)
    with pytest.raises(SystemExit, match="16 bytes are not the card of this board"):
        qemu_run().keep("card", path)
    assert digest(path) == before

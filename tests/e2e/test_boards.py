"""What can be tested of `make boards`, `make flash` and `make debug` without a board."""

import os
import re
import subprocess

import pytest

from herdlib import NET, ROOT

pytestmark = pytest.mark.skipif(NET == "tap", reason="no node is started: once is enough")

ON_BOARD = ROOT / "tools/build/on-board"
BOARDS = sorted(path.parent.name for path in (ROOT / "boards").glob("*/board.mk"))


def make(*words):
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    return subprocess.run(["make", "-s", *words], cwd=ROOT, env=environment, capture_output=True,
                          text=True, timeout=120)


def on_board(what, **named):
    """Dry, unless the caller says otherwise."""
    names = {"BOARD": "there", "IMAGE": "build/boards/there/Here", "HERD": "my.conf", "NODE": "Here",
             "OPENOCD": "", "SD_NAME": "", "SDCARD": "", "QEMU": "", "ON": "", "DRY_RUN": "1"}
    return subprocess.run([ON_BOARD, what], cwd=ROOT, env={**os.environ, **names, **named},
                          capture_output=True, text=True, timeout=60)


def test_every_board_is_listed_with_how_far_it_is():
    done = make("boards")
    assert done.returncode == 0, done.stderr
    head, *rows = done.stdout.splitlines()
    assert re.split("  +", head) == ["BOARD", "BUILT", "TESTED", "ON HARDWARE", "WHAT IT IS"]
    columns = {row[0]: row[1:] for row in (re.split("  +", line) for line in rows)}
    assert sorted(columns) == BOARDS
    assert all(len(row) == 4 and all(row) for row in columns.values()), columns
    assert columns["lm3s6965evb"][1:3] == ["under QEMU", "not yet"]
    assert columns["frdm-k64f"][1:3] == ["driver, in emulation", "not yet"]


def test_a_board_with_openocd_is_flashed_by_it():
    done = on_board("flash", OPENOCD="board/some.cfg")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ("openocd -f board/some.cfg -c program build/boards/there/Here/herd.elf "
                           "verify reset exit\n")


def test_flashing_without_a_node_asks_which():
    done = make("flash", "BOARD=lm3s6965evb", "DRY_RUN=1")
    assert done.returncode != 0 and "make flash BOARD=lm3s6965evb HERD=FILE NODE=NAME" in done.stderr


def test_a_program_is_no_board_to_flash():
    done = make("flash", "BOARD=posix", "HERD=tools/herds/solo.conf")
    assert done.returncode != 0 and "BOARD=posix is not a board to flash; see: make boards" in done.stderr


def test_a_board_with_an_sd_card_asks_where_the_card_is():
    done = on_board("flash", SD_NAME="SOFTWARE/herd.bin", DRY_RUN="")
    assert done.returncode == 2 and "make flash BOARD=there HERD=my.conf NODE=Here SDCARD=" in done.stderr


def test_only_a_card_of_the_board_is_written(tmp_path):
    done = on_board("flash", SD_NAME="SOFTWARE/herd.bin", SDCARD=str(tmp_path), DRY_RUN="")
    assert done.returncode == 2 and "it is not this board's card" in done.stderr
    assert not list(tmp_path.iterdir())


def test_the_image_is_copied_to_the_card(tmp_path):
    (tmp_path / "card/MB").mkdir(parents=True)
    (tmp_path / "herd.bin").write_bytes(b"image")
    done = on_board("flash", SD_NAME="SOFTWARE/herd.bin", SDCARD=str(tmp_path / "card"), DRY_RUN="",
                    IMAGE=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "card/SOFTWARE/herd.bin").read_bytes() == b"image"
    assert r"IMAGE0FILE: \SOFTWARE\herd.bin and IMAGE0ADDRESS: 0x00000000" in done.stdout


def test_debugging_is_with_qemu_where_qemu_has_the_board():
    done = on_board("debug", QEMU="build/there/herd", OPENOCD="board/some.cfg")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "build/there/herd -c my.conf --gdb 1234 Here &",
        "gdb-multiarch build/boards/there/Here/herd.elf -ex 'target extended-remote :1234'"]


@pytest.mark.parametrize("named", ({"ON": "board", "QEMU": "build/there/herd"}, {}))
def test_debugging_is_with_openocd_else(named):
    done = on_board("debug", OPENOCD="board/some.cfg", **named)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "openocd -f board/some.cfg &",
        "gdb-multiarch build/boards/there/Here/herd.elf -ex 'target extended-remote :3333'"]


def test_without_either_it_says_so():
    done = on_board("debug")
    assert done.returncode == 2 and "neither QEMU nor an OpenOCD script" in done.stderr


def test_what_a_board_is_flashed_with_is_said_for_each():
    for name in BOARDS:
        text = (ROOT / "boards" / name / "board.mk").read_text()
        assert ("BOARD_CPU" in text) == ("BOARD_OPENOCD" in text or "BOARD_SDCARD" in text), name


@pytest.mark.parametrize("words, said", [(["mps2-an385", "0"], "right is 1 to 16"),
                                         (["mps2-an385", "17"], "right is 1 to 16")])
def test_a_herd_of_boards_has_1_to_16_nodes(words, said):
    done = subprocess.run([ROOT / "tools/qemu-run/herd-file", *words], capture_output=True, text=True)
    assert done.returncode == 1 and said in done.stderr

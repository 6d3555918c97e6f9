"""A board's keys: in its image, and pasted at its console."""

import os
import subprocess

import pytest

import herdlib
from herdlib import BIN, ROOT, wait_until
from terminal import PROMPT, Terminal

BOARDS = [board for board in os.environ.get("HERD_BOARDS", "lm3s6965evb").split()
          if not board.startswith("posix")]


@pytest.fixture(params=BOARDS, name="board")
def fixture_board(request):
    return request.param


@pytest.fixture(name="console")
def fixture_console(tmp_path):
    started = []

    def start(herd, name, *options):
        terminal = Terminal(herd.conf, name, *options, board=herd.boards[name], folder=tmp_path)
        started.append(terminal)
        return terminal
    yield start
    for terminal in started:
        terminal.end()


@pytest.fixture(name="pair")
def fixture_pair(new_herd, board):
    """The board, and a program that is its neighbour and runs."""
    herd = new_herd(("Board", "Laptop"), (("Board", "Laptop"),),
                    boards={"Board": board, "Laptop": "posix"})
    herd.start("Laptop")
    return herd


def load(terminal, text, answer):
    since = len(terminal.screen)
    terminal.type(b"keys load\r")
    terminal.until(b"it is not shown", since)
    for line in (*text.splitlines(), "."):  # not faster than somebody's terminal program
        terminal.type(line.encode() + b"\r")
        terminal.read(0.1)
    terminal.until(answer.encode(), since)
    terminal.until(PROMPT, since)


def test_a_board_without_keys_has_its_console_and_says_what_to_do(pair, console):
    terminal = console(pair, "Board", "--state", "state")
    terminal.until(b"herd: there are no keys for the link of Board with Laptop", 0)
    event = terminal.log.wait("setup.needed")
    assert event.fields["meaning"].startswith("no keys for its links: keys load at the console takes")
    terminal.type(b"\r")
    terminal.until(PROMPT, 0)
    assert "config none: there are no keys for its links; keys load takes them" in terminal.ask("status")
    load(terminal, pair.keys.text("Laptop"), "these are the keys of Laptop; this node is Board")
    load(terminal, pair.keys.text("Board"), "valid; config save keeps it")
    assert terminal.ask("config save") == ["saved; reboot puts it into effect"]
    terminal.type(b"reboot\r")
    terminal.log.wait("link.up", peer="Laptop")
    pair["Laptop"].log.wait("link.up", peer="Board")
    terminal.type(b"\r")
    wait_until(lambda: "link Laptop current=1 next=2" in terminal.ask("keys"), "its keys",
               check=terminal.check)  # a prompt may be of the time before
    for number in (1, 2):
        assert pair.keys.key("Board", "Laptop", number).hex().encode() not in terminal.screen


def test_make_firmware_puts_a_nodes_own_keys_into_an_image_for_nobody_else(pair, board, programs):
    profile = board.removeprefix("mps2-an385").removeprefix("lm3s6965evb").removeprefix("-")
    words = [f"BOARD={board.removesuffix('-small')}", f"PROFILE={profile}", f"HERD={pair.conf}",
             "NODE=Board", f"KEYS={pair.folder / 'keys'}"]
    out = BIN / "boards" / board / "Board"
    done = subprocess.run(["make", "-s", "firmware", *words], cwd=ROOT, capture_output=True, text=True,
                          check=False, env={key: value for key, value in os.environ.items()
                                            if not key.startswith(("MAKE", "MFLAGS"))})
    assert done.returncode == 0, done
    for name in ("herd.bin", "herd.elf", "factory.bin"):
        assert (out / name).stat().st_mode & 0o077 == 0, name
    image = (out / "herd.bin").read_bytes()
    assert pair.keys.key("Board", "Laptop").hex().encode() in image
    port, link_port = pair.ports["Board"]
    node = programs.add(herdlib.Program("image", [BIN / board / "herd", "--image", out / "herd.bin",
                                                  str(int(port)), str(int(link_port))], pair.folder))
    node.log.wait("link.up", peer="Laptop")
    pair["Laptop"].log.wait("link.up", peer="Board")


def test_an_image_without_keys_is_made_with_a_note_and_one_with_wrong_keys_is_not(pair, tmp_path):
    def factory(*options):
        return subprocess.run([ROOT / "tools/build/factory", "--herd", pair.conf, "--node", "Board",
                               *options, tmp_path / "out"], capture_output=True, text=True, check=False)
    done = factory()
    assert done.returncode == 0 and "no keys for its links" in done.stderr
    done = factory("--keys", pair.keys_file("Laptop"))
    assert done.returncode == 1 and "not those of Board" in done.stderr
    done = factory("--keys", tmp_path / "nowhere")
    assert done.returncode == 1 and "herdctl keys makes them" in done.stderr
    pair.keys_file("Board").chmod(0o644)
    done = factory("--keys", pair.keys_file("Board"))
    assert done.returncode == 1 and "chmod 600" in done.stderr
    pair.keys_file("Board").chmod(0o600)
    assert factory("--keys", pair.keys_file("Board")).stderr == ""

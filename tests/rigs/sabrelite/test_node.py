"""The whole node of a frdm-k64f on the rig, in a herd with a node of the POSIX port (pair.conf). Run it in a
network of its own (run-rig): the ports are those of the herd file."""

import os
import socket
import subprocess
import time
from pathlib import Path

import pytest

from riglib import BAD_WORDS, ROOT

NODE = ROOT / "build/rigs/sabrelite/node.elf"
LAPTOP = ROOT / "build/posix/herd"
HERD_FILE = Path(__file__).with_name("pair.conf")
KEYS = ROOT / "build/rigs/sabrelite/keys/Laptop.keys"  # Rig's are in its image
RIG_PORT, LAPTOP_PORT = 10000, 10001

pytestmark = pytest.mark.skipif("RIG_ELF" in os.environ, reason="the rig alone was asked for")


def wait_for(path, words, timeout=15):
    end = time.monotonic() + timeout
    while not path.exists() or words not in path.read_text(errors="replace"):
        assert time.monotonic() < end, f"no {words!r}:\n{path.read_text(errors='replace')}"
        time.sleep(0.05)


@pytest.fixture
def pair(tmp_path):
    rig_log, laptop_log = tmp_path / "rig.log", tmp_path / "laptop.log"
    forwards = ",".join(f"hostfwd=tcp:127.0.0.1:{port}-:{port}" for port in (10000, 11000))
    with open(laptop_log, "wb") as out:
        processes = [
            subprocess.Popen(["qemu-system-arm", "-M", "sabrelite", "-m", "64M", "-kernel", str(NODE),
                              "-display", "none", "-monitor", "none", "-serial", f"file:{rig_log}",
                              "-nic", f"user,model=imx.enet,{forwards}"],
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL),
            subprocess.Popen([LAPTOP, "-c", HERD_FILE, "--keys", KEYS, "Laptop"], stdout=out, stderr=out)]
    try:
        wait_for(rig_log, "link.up peer=Laptop")
        wait_for(laptop_log, "link.up peer=Rig")
        yield
        text = rig_log.read_text(errors="replace")
        assert not any(words in text for words in BAD_WORDS), text
    finally:
        for process in processes:
            process.kill()
            process.wait()


def ask(port, lines):
    with socket.create_connection(("127.0.0.1", port), 10) as s:
        s.sendall(lines.encode())
        s.shutdown(socket.SHUT_WR)
        parts = []
        while part := s.recv(65536):
            parts.append(part)
    return b"".join(parts).decode()


def wait_known(port, client, location):
    end = time.monotonic() + 10
    while location not in (answer := ask(port, f"WHATSAT {client} 10 1\n")):
        assert time.monotonic() < end, answer
        time.sleep(0.1)
    return answer.splitlines()[0]


def test_reports_spread_between_the_rig_and_a_laptop_both_ways(pair):
    said = ask(RIG_PORT, "IAMAT kiwi +34.068930-118.445127 1790000000.5\n").strip()
    assert said.startswith("AT Rig ")
    assert wait_known(LAPTOP_PORT, "kiwi", "+34.068930-118.445127") == said
    said = ask(LAPTOP_PORT, "IAMAT pear -1.5+2.25 1790000001.5\n").strip()
    assert said.startswith("AT Laptop ")
    assert wait_known(RIG_PORT, "pear", "-1.5+2.25") == said


def test_pipelined_commands_are_answered_in_order(pair):
    count = 2000
    lines = "".join(f"IAMAT d{i % 200} +34.0-118.{i:04} {1790000000 + i}.25\nnonsense {i}\n"
                    for i in range(count))
    answers = ask(RIG_PORT, lines).splitlines()
    assert len(answers) == 2 * count
    for i in range(count):
        assert answers[2 * i].split()[3:] == [f"d{i % 200}", f"+34.0-118.{i:04}", f"{1790000000 + i}.25"]
        assert answers[2 * i + 1] == f"? nonsense {i}"

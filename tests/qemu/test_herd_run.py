"""Herds with boards in them, as `make run` and `make qemu` start them: by herd-run, from a herd file that
says what each node runs on."""

import os
import signal
import subprocess

import pytest

import herdlib
from herdlib import BIN, ROOT, Client, Program, wait_until

KNOWN = os.environ.get("HERD_BOARDS", "mps2-an385 lm3s6965evb").split()
HERD_RUN = BIN / "tools" / "herd-run"

pytestmark = pytest.mark.skipif(not {"mps2-an385", "lm3s6965evb"} <= set(KNOWN),
                                reason="not both boards are tested now")


class Run:
    """herd-run, and the ports of its nodes by name."""

    def __init__(self, programs, conf, **ports):
        self.ports = ports
        self.program = programs.add(Program("herd-run", [
            HERD_RUN, "--run-dir", programs.folder / "run", conf], programs.folder))

    def ready(self):
        wait_until(lambda: b"herd is ready" in self.program.log.text(), "herd is ready", 60,
                   self.program.check)
        return self

    def client(self, name):
        return Client(self.ports[name])

    def report(self, name, device):
        with self.client(name) as client:
            return client.iamat(device)

    def all_know(self, device, at):
        for name in self.ports:
            with self.client(name) as client:
                wait_until(lambda: client.known(device) == at, f"{name} knows {at}")


@pytest.fixture
def write_conf(programs):
    """A herd file: {name: board}, and links; the ports of each."""
    def write(boards, links, *lines):
        ports = {name: (herdlib.free_port(), herdlib.free_port()) for name in boards}
        text = ["[herd]", *lines] if lines else []
        for name, board in boards.items():
            text += [f"[node {name}]", f"board = {board}", f"port = {ports[name][0]}",
                     f"link_port = {ports[name][1]}", "address = 127.0.0.1"]
        text += ["[links]", *(f"{one} = {others}" for one, others in links.items())]
        path = programs.folder / "own.conf"
        path.write_text("\n".join(text) + "\n")
        return path, {name: port for name, (port, _) in ports.items()}
    return write


def refusal(conf, *options, folder):
    done = subprocess.run([HERD_RUN, "--run-dir", folder / "run", *options, conf], cwd=folder,
                          capture_output=True, text=True, timeout=60)
    return done.returncode, done.stderr


def test_the_mixed_herd_is_ready_and_every_node_knows_what_one_was_told(programs):
    run = Run(programs, ROOT / "tools/herds/mixed.conf", Bailey=10000, Bona=10001, Clark=10002,
              Jaquez=10003).ready()
    assert b"Bona 10001 on mps2-an385, Clark 10002 on lm3s6965evb" in run.program.log.text()
    for name in run.ports:
        run.all_know(f"device-{name}", run.report(name, f"device-{name}"))
    with run.client("Bona") as board:  # from the stand-in, over HTTPS
        assert b'"status":"OK"' in board.whatsat("device-Bailey", 10, 5).text
    pids = [int(path.read_text()) for path in (programs.folder / "run").glob("*.pid")]
    assert len(pids) == 4
    assert run.program.stop(signal.SIGINT) == 0, "as Ctrl-C does"
    assert not any(os.path.exists(f"/proc/{pid}") for pid in pids)


def test_a_board_of_the_mixed_herd_that_was_killed_is_started_again_and_learns(programs):
    run = Run(programs, ROOT / "tools/herds/mixed.conf", Bailey=10000, Bona=10001, Clark=10002,
              Jaquez=10003).ready()
    before = run.report("Jaquez", "before")
    run.all_know("before", before)
    os.kill(int((programs.folder / "run/Clark.pid").read_text()), signal.SIGKILL)
    wait_until(lambda: "Clark ended" in run.program.errors(), "it is missed")
    meanwhile = run.report("Bailey", "meanwhile")
    run.program.process.send_signal(signal.SIGUSR1)
    wait_until(lambda: b"the herd is complete again" in run.program.log.text(), "it is back", 60)
    run.all_know("before", before)
    run.all_know("meanwhile", meanwhile)
    run.program.stop(signal.SIGINT)
    run.program.err_path.write_text("")  # that Clark ended


def test_three_full_boards_a_small_one_and_a_program_converge(programs, write_conf):
    full = dict.fromkeys(("A", "B", "C"), "mps2-an385")
    conf, ports = write_conf({**full, "D": "lm3s6965evb", "E": "posix"},
                             {"A": "B E", "B": "C", "C": "A D", "D": "E"})
    run = Run(programs, conf, **ports).ready()
    for name in ports:
        run.all_know(f"device-{name}", run.report(name, f"device-{name}"))
    newest = [run.report(name, "same") for name in ports][-1]
    run.all_know("same", newest)
    run.program.stop(signal.SIGINT)


@pytest.mark.parametrize("board, count", [("mps2-an385", 3), ("lm3s6965evb", 3), ("mps2-an385", 1)])
def test_make_qemu_has_a_herd_of_so_many_boards(programs, board, count):
    conf = programs.folder / "qemu.conf"
    conf.write_text(subprocess.run([ROOT / "tools/qemu-run/herd-file", board, str(count)], check=True,
                                   capture_output=True, text=True).stdout)
    names = ("Bailey", "Bona", "Campbell")[:count]
    run = Run(programs, conf, **{name: 10000 + i for i, name in enumerate(names)}).ready()
    run.all_know("device", run.report("Bailey", "device"))
    for name in names:
        assert (programs.folder / f"run/{name}.log").read_text().count("node.ready") == 1
    run.program.stop(signal.SIGINT)


def test_a_board_that_nobody_has_is_refused(programs, write_conf):
    conf, _ = write_conf({"A": "mps2-an386"}, {})
    status, said = refusal(conf, folder=programs.folder)
    assert status == 2 and "[node A] is on board mps2-an386, which cannot run here" in said


def test_a_board_that_qemu_has_not_is_refused(programs, write_conf):
    conf, _ = write_conf({"A": "frdm-k64f"}, {})
    status, said = refusal(conf, folder=programs.folder)
    assert status == 2 and "frdm-k64f, which cannot run here" in said


@pytest.mark.parametrize("board", ("../posix", "", "MPS2", "a" * 25))
def test_a_board_that_is_no_name_is_refused(programs, write_conf, board):
    conf, _ = write_conf({"A": board}, {})
    status, said = refusal(conf, folder=programs.folder)
    assert status == 2 and "right is posix or a board of `make boards`" in said


def test_boards_are_refused_on_tap_devices(programs, write_conf):
    conf, _ = write_conf({"A": "posix", "B": "mps2-an385"}, {"A": "B"})
    status, said = refusal(conf, "--net", "tap", folder=programs.folder)
    assert status == 2 and "boards under QEMU are not on TAP devices; use --net slirp" in said


def test_a_board_that_cannot_start_ends_the_herd_at_once(programs, write_conf):
    conf, _ = write_conf({"A": "posix", "B": "mps2-an385"}, {"A": "B"}, "report_bytes = 512")
    status, said = refusal(conf, folder=programs.folder)
    assert status == 1 and "B cannot start; its log in" in said
    assert "report_bytes" in (programs.folder / "run/B.log").read_text()

"""What only a board has: crash records, the watchdog, entropy that fails closed, a boot block."""

import os

import pytest

import herdlib
from gdbstub import Debugger, Monitor, symbols

BOARDS = os.environ.get("HERD_BOARDS", "mps2-an385 mps2-an385-small").split()


@pytest.fixture(params=BOARDS)
def board(request):
    return request.param


class Board:
    def __init__(self, herd, programs, board, *options):
        self.socket = programs.folder / "monitor"
        self.node = herd.launch("Solo", "--monitor", self.socket, *options)
        self.symbols = symbols(herdlib.BIN / "boards" / board / "herd.elf")

    def ready(self):
        self.node.log.wait("node.ready", name="Solo")
        self.monitor = Monitor(self.socket)
        return self

    def spin(self):
        """Where an instruction branches to itself."""
        start = self.symbols["cortexm_reset"] & ~3
        code = b"".join(word.to_bytes(4, "little") for word in self.monitor.words(start, 32))
        return start + code.index(b"\xfe\xe7")

    def crash(self, pc, **registers):
        """The core goes on elsewhere; the log from there on."""
        since = self.node.log.mark()
        debugger = Debugger(self.monitor, herdlib.free_port())
        for name, value in registers.items():
            debugger.set_register(Debugger.NUMBERS[name], value)
        debugger.set_register(Debugger.NUMBERS["pc"], pc & ~1)
        debugger.detach()
        self.node.log.wait("node.ready", since, name="Solo", timeout_s=60)
        return [event.line for event in self.node.log.events[since:]]


@pytest.fixture
def new_board(new_herd, programs, board):
    return lambda *options, **sections: Board(new_herd(boards=board, **sections), programs, board,
                                              *options)


def answers(node):
    with herdlib.Client(node.port) as client:
        client.iamat("device")


def test_a_failed_assertion_is_shown_after_the_reset_and_the_node_goes_on(new_board):
    board = new_board().ready()
    answers(board.node)
    empty = 0x50000  # behind the image: an empty string
    lines = board.crash(board.symbols["hal_panic"], r0=empty, r1=4711, r2=empty)
    assert any("crash 1 since power on" in line and "assertion at :4711" in line
               for line in lines), lines
    assert not any("seed" in line for line in lines)
    answers(board.node)


def test_a_fault_is_shown_with_its_registers(new_board):
    board = new_board().ready()
    lines = board.crash(0xE0000000)  # no code there
    assert any("fault, exception 3" in line for line in lines), lines
    assert any("pc=e0000000" in line for line in lines), lines
    assert any("cfsr=" in line for line in lines), lines
    answers(board.node)


def test_a_stack_overflow_is_a_fault_and_not_silence(new_board):
    board = new_board().ready()
    lines = board.crash(board.symbols["herd_step"], sp=board.symbols["ld_stack_start"] + 16)
    assert any("fault" in line for line in lines), lines
    answers(board.node)


def test_crashes_are_counted_over_resets(new_board):
    board = new_board().ready()
    board.crash(0xE0000000)
    lines = board.crash(0xE0000000)
    assert any("crash 2 since power on" in line for line in lines), lines


def test_a_node_that_makes_no_progress_is_reset_by_the_watchdog(new_board):
    board = new_board().ready()
    # By way of a function that leaves interrupts on: the debugger may have found the node asleep, with
    # interrupts off, and not on every board is the watchdog's warning an NMI.
    lines = board.crash(board.symbols["hal_idle"], r0=0, lr=board.spin() | 1)
    assert any("watchdog" in line for line in lines), lines
    answers(board.node)


def test_the_clock_goes_on_over_a_reset(new_board):
    board = new_board().ready()
    board.crash(0xE0000000)
    with herdlib.Client(board.node.port) as client:
        difference = herdlib.parse_at(client.iamat("device")).difference
    assert abs(difference) < 2, difference


def test_without_a_seed_there_is_no_tls_and_the_console_says_what_to_do(new_board, new_standin, board):
    if board in herdlib.NO_UPSTREAM:
        unseeded = new_board("--no-seed").ready()
    else:
        unseeded = new_board("--no-seed", places=new_standin().places()).ready()
        with herdlib.Client(unseeded.node.port) as client:
            client.iamat("device")
            assert b"no entropy for TLS" in client.whatsat("device").text
    event = unseeded.node.log.wait("entropy.missing")
    assert "seed" in event.fields["meaning"]
    answers(unseeded.node)


def test_without_a_time_there_is_no_upstream(new_board, new_standin, board):
    if board in herdlib.NO_UPSTREAM:
        pytest.skip("it has none anyway")
    standin = new_standin()
    unset = new_board("--no-wall", places=standin.places()).ready()
    with herdlib.Client(unset.node.port) as client:
        client.iamat("device", stamp="1621464827.959498503")
        answer = client.whatsat("device")
    assert '"results":[]' in answer.text.decode() and "does not know the time yet" in answer.text.decode()
    assert standin.stats()["requests"] == 0


def test_two_starts_never_have_the_same_randomness(new_board):
    board = new_board().ready()
    pool = board.symbols["retained_pool"]
    first = board.monitor.words(pool, 8)
    since = board.node.log.mark()
    board.monitor.command("system_reset")  # the loader writes the same boot block again
    board.node.log.wait("node.ready", since, name="Solo")
    second = board.monitor.words(pool, 8)
    assert any(first) and any(second) and first != second


def test_the_image_of_make_firmware_holds_its_own_configuration(programs, board):
    image = os.environ.get("HERD_IMAGE")
    if not image or board != "mps2-an385":
        pytest.skip("HERD_IMAGE names no image")
    node = programs.add(herdlib.Program("image", [herdlib.BIN / board / "herd", "--image", image,
                                                  "10000"], programs.folder))
    node.log.wait("node.ready", port="10000")
    with herdlib.Client(10000) as client:
        client.iamat("device")

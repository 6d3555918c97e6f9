"""Sections 1 and 2 of PROTOCOL.md: lines, and IAMAT."""

import itertools
import time
from decimal import Decimal

import pytest

from herdlib import BOARDS, LINE_BYTES, SAN, Client, parse_at

KIWI = b"kiwi.cs.ucla.edu +34.068930-118.445127 1621464827.959498503"
# The node may read its clock once per round; a board's clock is set once, when it starts.
CLOCK_S = Decimal("0.05" if BOARDS[0].startswith("posix") else "0.3")


def is_answer(line, fields):
    """True when the line is the AT answer of Solo with exactly these three fields."""
    return parse_at(line).server == "Solo" and line.split(b" ", 3)[3] == fields


# ---- IAMAT ----

@pytest.mark.parametrize("offset_s", [0, -1, 1, -3600, 3600, Decimal("-0.000000001"),
                                      -1_000_000_000, 1_000_000_000])
def test_iamat_answer_gives_server_time_minus_client_time(client, offset_s):
    stamp = Decimal(time.time_ns()) / 10**9 + offset_s
    before = Decimal(time.time_ns()) / 10**9
    line = client.ask(b"IAMAT kiwi +34.068930-118.445127 %s" % str(stamp).encode())
    after = Decimal(time.time_ns()) / 10**9
    at = parse_at(line)
    assert before - stamp - CLOCK_S <= at.difference <= after - stamp + CLOCK_S
    assert line.split(b" ")[2].startswith(b"-" if at.difference < 0 else b"+")
    assert is_answer(line, b"kiwi +34.068930-118.445127 %s" % str(stamp).encode())


@pytest.mark.parametrize("stamp, seconds", [
    (b"0", 0), (b".5", "0.5"), (b"5.", 5), (b"0001.50", "1.5"), (b"9223372036.854775807",
                                                                 "9223372036.854775807"),
    (b"1621464827.9594985031234567", "1621464827.959498503"), (b"1.000000001", "1.000000001"),
    (b"0" * 40 + b"7", 7)])
def test_iamat_difference_is_exact_to_the_nanosecond_of_the_stamp(client, stamp, seconds):
    before = time.time_ns()
    at = parse_at(client.ask(b"IAMAT kiwi +1+2 " + stamp))
    after = time.time_ns()
    server_time = at.difference + Decimal(seconds)
    slack_ns = int(CLOCK_S * 10**9)
    assert before - slack_ns <= server_time * 10**9 <= after + slack_ns
    assert at.stamp == stamp


@pytest.mark.parametrize("location", [
    b"+34.068930-118.445127", b"+0+0", b"-0-0", b"+.5-.5", b"+34.-118.", b"+90+180", b"-90-180",
    b"+90.000+180.000", b"+0034.0-00118.0", b"+89.99999999999999999999-179.99999999999999999999"])
def test_location_is_repeated_digit_for_digit(client, location):
    fields = b"kiwi " + location + b" 1621464827.959498503"
    assert is_answer(client.ask(b"IAMAT " + fields), fields)


@pytest.mark.parametrize("device", [
    "k\u012bwi\u2708.example", "\U0001f951", "\u00a0", "\u2028", "a=b\"c\\d'", "+1-1", "IAMAT",
    "%n%s", b"\xff\xfe\x80", b"\xc3\x28", b"-", b"!" * 80])
def test_any_bytes_but_white_space_and_control_make_a_name(client, device):
    name = device if isinstance(device, bytes) else device.encode()
    fields = name + b" +34.068930-118.445127 1621464827.959498503"
    assert is_answer(client.ask(b"IAMAT " + fields), fields)


# ---- Lines ----

@pytest.mark.parametrize("line", [
    b"  IAMAT " + KIWI, b"IAMAT " + KIWI + b" \t ", b"IAMAT " + KIWI + b"\r",
    b"IAMAT\t" + KIWI.replace(b" ", b"\t"), b"IAMAT\f" + KIWI.replace(b" ", b"\v"),
    b"IAMAT \r " + KIWI.replace(b" ", b" \t\r\f\v "), b"\t\r\f\v IAMAT " + KIWI + b"\v\f\r\t "])
def test_white_space_separates_fields_and_is_ignored_around_them(client, line):
    assert is_answer(client.ask(line), KIWI)


def test_blank_lines_get_no_answer(client):
    client.send(b"\n\n \n\t\n\r\n\f\v\r \n" + b"IAMAT " + KIWI + b"\n\n\nend\n")
    assert is_answer(client.line(), KIWI)
    assert client.line() == b"? end"


def test_commands_arrive_one_byte_at_a_time(client):
    for byte in b"IAMAT " + KIWI + b"\nnonsense\n":
        client.send(bytes([byte]))
    assert is_answer(client.line(), KIWI)
    assert client.line() == b"? nonsense"


def test_a_line_is_answered_before_the_next_one_is_complete(client):
    client.send(b"IAMAT " + KIWI + b"\nIAMAT ki")
    assert is_answer(client.line(), KIWI)
    client.send(KIWI[2:] + b"\n")
    assert is_answer(client.line(), KIWI)


@pytest.mark.parametrize("last, answer", [
    (b"nonsense", b"? nonsense\n"), (b"", b""), (b" \t", b""), (b"\xff", b"? \xff\n")])
def test_half_close_makes_an_unfinished_last_line_a_line(client, last, answer):
    client.send(b"IAMAT " + KIWI + b"\n" + last)
    client.half_close()
    assert is_answer(client.line(), KIWI)
    assert client.rest() == answer


def test_half_close_after_an_unfinished_iamat_delivers_its_answer(client):
    client.send(b"IAMAT " + KIWI)
    client.half_close()
    answer = client.rest()
    assert is_answer(answer[:-1], KIWI) and answer.endswith(b"\n")


def test_half_close_at_once_ends_the_connection_without_a_word(client):
    client.half_close()
    assert client.rest() == b""


def test_connection_stays_open_after_an_answer_and_an_invalid_command(client):
    for number in range(5):
        assert client.ask(b"nonsense %d" % number) == b"? nonsense %d" % number
        assert is_answer(client.ask(b"IAMAT " + KIWI), KIWI)


# ---- Pipelines ----

def pipeline(count):
    """Commands of several kinds, and what answers each of them."""
    kinds = itertools.cycle("iqbi")
    for number, kind in zip(range(count), kinds):
        if kind == "i":
            fields = b"walker %+d.%03d-118.%d %d" % (number % 90, number % 1000, number, number)
            fields = fields.replace(b"%", b"")
            yield b"IAMAT " + fields + b"\n", fields
        elif kind == "q":
            yield b"what %d\n" % number, b"? what %d" % number
        else:
            yield b" \t\n", None


def check_pipeline(lines, answers):
    assert len(lines) == len(answers)
    for line, answer in zip(lines, answers):
        assert line == answer if answer.startswith(b"? ") else is_answer(line, answer), line


def test_10000_lines_in_one_go_are_answered_in_order_before_the_close(client):
    commands, answers = zip(*pipeline(10_000))
    client.feed(b"".join(commands), half_close=True)
    lines = client.rest().split(b"\n")
    assert lines.pop() == b""
    check_pipeline(lines, [answer for answer in answers if answer is not None])


def test_pipeline_in_pieces_that_cut_lines_anywhere_is_answered_in_order(client):
    commands, answers = zip(*pipeline(300))
    data = b"".join(commands)
    for size in (1, 7, 64, 1000):
        client.feed(*(data[i:i + size] for i in range(0, len(data), size)))
        wanted = [answer for answer in answers if answer is not None]
        check_pipeline(client.lines(len(wanted)), wanted)
        client.feeder.join()


# ---- Line length ----

def padded(line, length):
    """The line with white space in the middle, so that it has this length."""
    command, rest = line.split(b" ", 1)
    return command + b" " * (length - len(command) - len(rest)) + rest


def test_a_line_of_exactly_the_buffers_length_is_a_command(solo, client):
    line = padded(b"IAMAT " + KIWI, LINE_BYTES[solo.board])
    assert len(line) == LINE_BYTES[solo.board]
    assert is_answer(client.ask(line), KIWI)


def test_a_line_of_exactly_the_buffers_length_counts_at_half_close(solo, client):
    client.send(padded(b"IAMAT " + KIWI, LINE_BYTES[solo.board]))
    client.half_close()
    assert is_answer(client.rest()[:-1], KIWI)


@pytest.mark.parametrize("more", [1, 2, 3, 500, 5000])
def test_a_line_longer_than_the_buffer_is_invalid_and_copied_exactly(solo, client, more):
    line = padded(b"IAMAT " + KIWI, LINE_BYTES[solo.board] + more)
    assert client.ask(line) == b"? " + line
    assert is_answer(client.ask(b"IAMAT " + KIWI), KIWI)


def test_a_blank_line_longer_than_the_buffer_is_invalid(solo, client):
    line = b" " * (LINE_BYTES[solo.board] + 1)
    assert client.ask(line) == b"? " + line


@pytest.mark.parametrize("cut", [0, 1, 100])
def test_half_close_in_a_long_line_ends_its_copy_with_a_newline(solo, client, cut):
    line = bytes(range(11, 256)) * 9
    line = line[:LINE_BYTES[solo.board] + cut]
    client.send(line)
    client.half_close()
    assert client.rest() == b"? " + line + b"\n"


def test_a_long_line_in_single_bytes_is_copied_exactly(solo, client):
    line = bytes(33 + i % 90 for i in range(LINE_BYTES[solo.board] + 50))
    client.feed(*(bytes([byte]) for byte in line + b"\n"))
    assert client.line() == b"? " + line


def test_every_byte_comes_back_in_the_copy_of_an_invalid_line(client):
    line = bytes(byte for byte in range(256) if byte != 10)
    for text in (line, line[::-1], b"\0", b"\0\0\0", b"IAMAT \0" + KIWI, b"\r\0\r"):
        assert client.ask(text) == b"? " + text


def test_a_line_of_50_mb_is_copied_exactly_in_constant_memory(solo, client):
    total = (50 if solo.board == "posix" and not SAN else 5) * 10**6
    block = bytes(byte for byte in range(256) if byte != 10) * 257  # no divisor of any buffer
    blocks = total // len(block)
    client.feed(*[block] * blocks, b"\n", b"IAMAT " + KIWI + b"\n")
    assert client.exactly(2) == b"? "
    early_rss = None
    for number in range(blocks):
        assert client.exactly(len(block)) == block, f"block {number}"
        if number == blocks // 10:
            early_rss = solo.rss_bytes()
    late_rss = solo.rss_bytes()
    assert client.exactly(1) == b"\n"
    assert is_answer(client.line(), KIWI)
    if not SAN:  # its allocator keeps what is freed
        assert late_rss - early_rss < 256 * 1024


# ---- Several clients ----

def test_a_client_that_never_reads_does_not_hold_up_others(solo):
    with Client(solo.port, receive_buffer=4096) as deaf, Client(solo.port) as other:
        deaf.socket.settimeout(0.5)
        sent = 0
        line = b"deaf " + b"x" * 100 + b"\n"
        try:
            while sent < 50_000_000:  # a send may take a part of what it is given
                sent += deaf.socket.send((line * 1000)[sent % len(line):])
        except TimeoutError:
            pass  # everything between it and the node is full
        assert sent < 50_000_000, "the node read on although nobody takes its answers"
        for number in range(100):
            fields = b"lively +1+2 %d" % number
            assert is_answer(other.ask(b"IAMAT " + fields), fields)
        deaf.socket.settimeout(10)
        deaf.half_close()
        wanted = b"".join(b"? " + piece for piece in (line * (sent // len(line) + 1))[:sent]
                          .splitlines(keepends=True))
        assert deaf.rest() == wanted + (b"" if wanted.endswith(b"\n") else b"\n")


def test_clients_at_once_get_their_own_answers(solo):
    clients = [Client(solo.port) for _ in range(4)]
    try:
        for number, one in enumerate(clients):
            one.feed(b"".join(b"IAMAT client%d +1+2 %d\n" % (number, i) for i in range(500)))
        for number, one in enumerate(clients):
            for i, line in enumerate(one.lines(500)):
                assert is_answer(line, b"client%d +1+2 %d" % (number, i))
    finally:
        for one in clients:
            one.close()

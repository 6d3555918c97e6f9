"""Section 4 of PROTOCOL.md: whatever is no command comes back behind `? `, exactly."""

import pytest

from herdlib import Client

KIWI_AT = "+34.068930-118.445127"

NO_COMMAND = [
    b"IAMAT", b"WHATSAT", b"HELLO", b"?", b"? IAMAT a +1+2 3", b"iamat a +1+2 3", b"Iamat a +1+2 3",
    b"IAMATT a +1+2 3", b"IAMA a +1+2 3", b"I AMAT a +1+2 3", b"whatsat known 10 5",
    b"\xa0IAMAT a +1+2 3", b"IAMAT\xa0a +1+2 3", b"IAMAT\x1ca\x1d+1+2\x1e3", b"IAMAT\x85a +1+2 3",
    b"\xef\xbb\xbfIAMAT a +1+2 3", b"IAMAT\0a\0+1+2\0" b"3", b"GET / HTTP/1.1\r", b"QUIT\r",
    b"AT Solo +0.263873386 kiwi.cs.ucla.edu +34.068930-118.445127 1621464827.959498503", b"AT",
    b"AT Bona +0.1 a +1+2 3", b"IAMAT a +1+2 3 IAMAT a +1+2 3", b"\x01", b"\x1b[2J", b"\xff" * 20,
]

NO_IAMAT = [
    b"a", b"a +1+2", b"a +1+2 3 4", b"+1+2 3", b"a 3 +1+2", b"a b +1+2 3",
    # control bytes in the name
    b"a\x01 +1+2 3", b"\x7f +1+2 3", b"a\0b +1+2 3", b"a\x1f +1+2 3", b"\x08 +1+2 3",
    b"a\x1b +1+2 3",
    # signs
    b"a 1+2 3", b"a +12 3", b"a 1-2 3", b"a 12 3", b"a ++1+2 3", b"a +-1+2 3", b"a +1+-2 3",
    b"a +1++2 3", b"a +1 +2 3", b"a + 1+2 3", b"a +1+2+ 3", b"a +1-2- 3", b"a + 3", b"a ++ 3",
    b"a +1+ 3", b"a ++2 3", b"a \xe2\x88\x921\xe2\x88\x922 3",
    # altitude, solidus, other notations
    b"a +1+2+3 3", b"a +1+2/ 3", b"a +1+2CRSWGS_84/ 3", b"a +1,5+2 3", b"a +1,+2 3", b"a 1N2E 3",
    b"a +1e1+2 3", b"a +1+2e0 3", b"a +1E1+2 3", b"a +0x10+2 3", b"a +nan+2 3", b"a +inf+2 3",
    b"a +1_0+2 3", b"a +1.2.3+2 3", b"a +.+2 3", b"a +1+. 3", b"a +1..+2 3", b"a +1+2\0 3",
    b"a +\xef\xbc\x91+2 3", b"a +1'+2 3",
    # range
    b"a +90.0000001+0 3", b"a +90.00000000000000000000000000001+0 3", b"a -90.1-0 3", b"a +91+0 3",
    b"a -91+0 3", b"a +0+180.0000001 3", b"a +0-180.00000000000000000000000000001 3", b"a +0+181 3",
    b"a +0-1000 3", b"a +99999999999999999999+0 3", b"a +18446744073709551617+0 3",
    b"a +0+4294967297 3",
    # time
    b"a +1+2 -1", b"a +1+2 +1", b"a +1+2 1e9", b"a +1+2 .", b"a +1+2 1.2.3", b"a +1+2 1..2",
    b"a +1+2 0x10", b"a +1+2 nan", b"a +1+2 inf", b"a +1+2 now", b"a +1+2 1,5", b"a +1+2 1_000",
    b"a +1+2 9223372036.854775808", b"a +1+2 9223372037", b"a +1+2 18446744073.709551617",
    b"a +1+2 99999999999999999999999999", b"a +1+2 1s", b"a +1+2 \xef\xbc\x91", b"a +1+2 1\0",
]

NO_WHATSAT = [
    b"known", b"known 10", b"known 10 5 5", b"10 5 known", b"10 5", b"unknown 10 5", b"know 10 5",
    b"known. 10 5", b"KNOWN 10 5", b"known\0 10 5", b"unknown 0 0",
    b"known -1 5", b"known +1 5", b"known 50.1 5", b"known 50.0000001 5", b"known 51 5",
    b"known 50.00000000000000000000000000001 5", b"known 1e1 5", b"known . 5", b"known ten 5",
    b"known 1,5 5", b"known 0x1 5", b"known 99999999999999999999 5", b"known nan 5",
    b"known 1.2.3 5", b"known 18446744073709551617 5", b"known 4294967296 5",
    b"known 10 -1", b"known 10 +5", b"known 10 21", b"known 10 100", b"known 10 5.",
    b"known 10 5.0", b"known 10 .5", b"known 10 five", b"known 10 0x5", b"known 10 1e1",
    b"known 10 4294967301",
    b"known 10 18446744073709551621", b"known 10 5\0", b"known 10,5",
]


def check_invalid(client, line):
    """Alone, with CR, and in a pipeline behind which the connection still works."""
    assert client.ask(line) == b"? " + line
    client.send(line + b"\r\n" + line + b"\n\nIAMAT known " + KIWI_AT.encode() + b" 1\n")
    assert client.line() == b"? " + line + b"\r"
    assert client.line() == b"? " + line
    assert client.line().startswith(b"AT Solo ")


@pytest.fixture(name="knowing")
def fixture_knowing(client):
    """A client of a node that knows the device `known`, so that nothing but the line is wrong."""
    client.iamat("known")
    assert client.known("known")
    return client


@pytest.mark.parametrize("line", NO_COMMAND)
def test_what_is_no_command_is_invalid(client, line):
    check_invalid(client, line)


@pytest.mark.parametrize("rest", NO_IAMAT)
def test_iamat_with_a_bad_field_is_invalid(client, rest):
    check_invalid(client, b"IAMAT " + rest)


@pytest.mark.parametrize("rest", NO_WHATSAT)
def test_whatsat_with_a_bad_field_is_invalid(knowing, rest):
    check_invalid(knowing, b"WHATSAT " + rest)


@pytest.mark.parametrize("rest", [b"known 0 0", b"known 0 20", b"known 50 0", b"known 50.000 0",
                                  b"known .0 00", b"known 0. 0", b"known 00050 0"])
def test_whatsat_at_the_limits_is_valid(knowing, rest):
    knowing.send(b"WHATSAT " + rest + b"\n")
    assert knowing.read_answer().text


@pytest.mark.parametrize("report_bytes", [32, 64, 128])
def test_a_report_of_report_bytes_is_taken_and_a_longer_one_is_invalid(new_herd, board,
                                                                       report_bytes):
    herd = new_herd(boards=board, herd={"report_bytes": report_bytes})
    herd.start()
    client = herd.client("Solo")
    location, stamp = KIWI_AT.encode(), b"1621"
    name = b"n" * (report_bytes - len(location) - len(stamp))
    fits = b"IAMAT " + b" ".join((name, location, stamp))
    assert client.ask(fits).startswith(b"AT Solo ")
    for longer in (fits.replace(b"n +", b"nn +"), fits + b"0", fits.replace(b"+34.", b"+034.")):
        assert client.ask(longer) == b"? " + longer
        assert client.ask(fits).startswith(b"AT Solo ")
    wide = fits.replace(b" ", b"   \t")
    assert client.ask(wide).startswith(b"AT Solo "), "white space does not count"


def test_an_at_line_on_the_client_listener_changes_nothing(solo):
    with Client(solo.port) as client:
        line = b"AT Bona +0.263873386 smuggled +34.068930-118.445127 1621464827.959498503"
        assert client.ask(line) == b"? " + line
        assert client.known("smuggled") is None

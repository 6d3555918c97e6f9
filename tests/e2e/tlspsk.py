"""TLS 1.2 with pre-shared keys over sockets, for tests that are a neighbour: Python's ssl (3.11) has none.

A `Tls` is one end of a connection; its socket stays the caller's to close. All of it goes through libssl by
ctypes. Suites are named as herd files name them.
"""

import ctypes
import ctypes.util
import select
import time

SUITES = {"psk": b"PSK-AES128-GCM-SHA256", "ecdhe-psk": b"ECDHE-PSK-CHACHA20-POLY1305"}
NAMES = {value.decode(): key for key, value in SUITES.items()}

_ssl = ctypes.CDLL("libssl.so.3")
_crypto = ctypes.CDLL("libcrypto.so.3")

_CLIENT_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_uint, ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(ctypes.c_char), ctypes.c_uint,
    ctypes.POINTER(ctypes.c_ubyte), ctypes.c_uint)
_SERVER_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_uint, ctypes.c_void_p, ctypes.c_char_p,
                                    ctypes.POINTER(ctypes.c_ubyte), ctypes.c_uint)

for _library, _name, _result, *_arguments in (
        (_ssl, "TLS_method", ctypes.c_void_p),
        (_ssl, "SSL_CTX_new", ctypes.c_void_p, ctypes.c_void_p),
        (_ssl, "SSL_CTX_free", None, ctypes.c_void_p),
        (_ssl, "SSL_CTX_set_cipher_list", ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p),
        (_ssl, "SSL_CTX_ctrl", ctypes.c_long, ctypes.c_void_p, ctypes.c_int, ctypes.c_long,
         ctypes.c_void_p),
        (_ssl, "SSL_CTX_set_psk_client_callback", None, ctypes.c_void_p, _CLIENT_CALLBACK),
        (_ssl, "SSL_CTX_set_psk_server_callback", None, ctypes.c_void_p, _SERVER_CALLBACK),
        (_ssl, "SSL_new", ctypes.c_void_p, ctypes.c_void_p),
        (_ssl, "SSL_free", None, ctypes.c_void_p),
        (_ssl, "SSL_set_fd", ctypes.c_int, ctypes.c_void_p, ctypes.c_int),
        (_ssl, "SSL_connect", ctypes.c_int, ctypes.c_void_p),
        (_ssl, "SSL_accept", ctypes.c_int, ctypes.c_void_p),
        (_ssl, "SSL_read", ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int),
        (_ssl, "SSL_write", ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int),
        (_ssl, "SSL_pending", ctypes.c_int, ctypes.c_void_p),
        (_ssl, "SSL_shutdown", ctypes.c_int, ctypes.c_void_p),
        (_ssl, "SSL_get_error", ctypes.c_int, ctypes.c_void_p, ctypes.c_int),
        (_ssl, "SSL_get_current_cipher", ctypes.c_void_p, ctypes.c_void_p),
        (_ssl, "SSL_CIPHER_get_name", ctypes.c_char_p, ctypes.c_void_p),
        (_crypto, "ERR_get_error", ctypes.c_ulong),
        (_crypto, "ERR_clear_error", None),
        (_crypto, "ERR_reason_error_string", ctypes.c_char_p, ctypes.c_ulong)):
    getattr(_library, _name).restype = _result
    getattr(_library, _name).argtypes = _arguments

_WANT_READ, _WANT_WRITE, _SYSCALL, _ZERO_RETURN = 2, 3, 5, 6
_CTRL_MODE, _CTRL_MAX_SEND_FRAGMENT, _CTRL_MIN_PROTO, _CTRL_MAX_PROTO = 33, 52, 123, 124
_MODE_PARTIAL_AND_MOVING = 3
_TLS_1_2 = 0x0303
RECORD_BYTES = 1024


class TlsError(ConnectionError):
    """The handshake, or the connection, failed: what the alert or the library said."""


class Tls:
    """One end of a link. `patience_s` bounds each wait."""

    def __init__(self, sock, suite, patience_s, record_bytes=RECORD_BYTES):
        self.socket = sock
        self.patience_s = patience_s
        self.identity = None  # a server's: the caller's identity
        self.handle = None
        sock.setblocking(False)
        self.context = _ssl.SSL_CTX_new(_ssl.TLS_method())
        for control, value in ((_CTRL_MIN_PROTO, _TLS_1_2), (_CTRL_MAX_PROTO, _TLS_1_2),
                               (_CTRL_MODE, _MODE_PARTIAL_AND_MOVING),
                               (_CTRL_MAX_SEND_FRAGMENT, record_bytes)):
            _ssl.SSL_CTX_ctrl(self.context, control, value, None)
        if _ssl.SSL_CTX_set_cipher_list(self.context, SUITES[suite]) != 1:
            raise TlsError(f"this libssl has no {suite}")

    @classmethod
    def client(cls, sock, identity, key, suite="psk", patience_s=20,
               record_bytes=RECORD_BYTES):
        """Dials by this identity (bytes) and key; raises TlsError when the other end refuses."""
        own = cls(sock, suite, patience_s, record_bytes)

        def give(_, hint, identity_out, identity_room, key_out, key_room):
            if len(identity) + 1 > identity_room or len(key) > key_room:
                return 0
            ctypes.memmove(identity_out, identity + b"\0", len(identity) + 1)
            ctypes.memmove(key_out, key, len(key))
            return len(key)
        own.callback = _CLIENT_CALLBACK(give)  # as long as the connection
        _ssl.SSL_CTX_set_psk_client_callback(own.context, own.callback)
        return own._shake(_ssl.SSL_connect)

    @classmethod
    def server(cls, sock, key_of, suite="psk", patience_s=20):
        """Is called. key_of(identity) is a key, or None to refuse; `identity` holds the last asked for."""
        own = cls(sock, suite, patience_s)

        def give(_, identity, key_out, key_room):
            own.identity = identity
            key = key_of(identity)
            if key is None or len(key) > key_room:
                return 0
            ctypes.memmove(key_out, key, len(key))
            return len(key)
        own.callback = _SERVER_CALLBACK(give)
        _ssl.SSL_CTX_set_psk_server_callback(own.context, own.callback)
        return own._shake(_ssl.SSL_accept)

    def _shake(self, action):
        try:
            self.handle = _ssl.SSL_new(self.context)
            _ssl.SSL_set_fd(self.handle, self.socket.fileno())
            if self._until_done(lambda: action(self.handle)) <= 0:
                raise TlsError("the connection ended within the handshake")
            return self
        except BaseException:
            self.free()
            raise

    def _until_done(self, action):
        """Repeats action() until it no longer waits for the socket. 0 at the connection's end."""
        deadline = time.monotonic() + self.patience_s
        while True:
            _crypto.ERR_clear_error()
            result = action()
            if result > 0:
                return result
            why = _ssl.SSL_get_error(self.handle, result)
            if why == _ZERO_RETURN:
                return 0
            if why not in (_WANT_READ, _WANT_WRITE):
                reason = _crypto.ERR_reason_error_string(_crypto.ERR_get_error())
                if reason in (None, b"unexpected eof while reading"):
                    return 0
                raise TlsError(reason.decode())
            left = deadline - time.monotonic()
            ready = select.poll()  # not select(): a test run has thousands of files open
            ready.register(self.socket, select.POLLIN if why == _WANT_READ else select.POLLOUT)
            if left <= 0 or not ready.poll(left * 1000):
                raise TimeoutError("timed out")

    @property
    def suite(self):
        name = _ssl.SSL_CIPHER_get_name(_ssl.SSL_get_current_cipher(self.handle)).decode()
        return NAMES.get(name, name)

    def send(self, data):
        while data:
            sent = self._until_done(lambda: _ssl.SSL_write(self.handle, data, len(data)))
            if sent == 0:
                raise BrokenPipeError("the link has ended")
            data = data[sent:]

    def receive(self, most=65536):
        """Some bytes; none at the end, be it told or not."""
        buffer = ctypes.create_string_buffer(most)
        got = self._until_done(lambda: _ssl.SSL_read(self.handle, buffer, most))
        return buffer.raw[:got]

    def pending(self):
        return _ssl.SSL_pending(self.handle)

    def notify(self):
        """Says that nothing follows (close_notify)."""
        _ssl.SSL_shutdown(self.handle)

    def free(self):
        if self.handle:
            _ssl.SSL_free(self.handle)
            self.handle = None
        if self.context:
            _ssl.SSL_CTX_free(self.context)
            self.context = None

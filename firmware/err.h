/* The one list of errors, and the assertion of our own bugs.
 *
 * Functions that can fail return HERD_OK (0) or one of these negative values and are marked
 * HERD_MUST_CHECK. Codes of lwIP, mbedTLS and errno are translated in the one file that sees that
 * library, and logged there raw.
 */
#ifndef HERD_ERR_H
#define HERD_ERR_H

enum herd_err {
    HERD_OK = 0,
    HERD_E_AGAIN = -1,   /* nothing can be done now; call again when woken */
    HERD_E_FULL = -2,    /* a table or pool is exhausted; the newest was refused and counted */
    HERD_E_RANGE = -3,   /* a value is outside its range or does not fit; nothing changed */
    HERD_E_SYNTAX = -4,  /* bytes from outside are not of the expected form */
    HERD_E_CLOSED = -5,  /* the connection is gone; release the handle */
    HERD_E_TIMEOUT = -6, /* a deadline passed; the operation was given up */
    HERD_E_REFUSED = -7, /* the other side, or a limit of ours, said no */
    HERD_E_TRUST =
        -8, /* a certificate, name, date or identity did not verify; do not retry blindly */
    HERD_E_PROTOCOL = -9, /* the peer broke its protocol; the connection must be closed */
    HERD_E_ENTROPY = -10, /* no entropy: no TLS; see the console */
    HERD_E_NETWORK = -11  /* no route, no name or no interface; retry with back-off */
};

#define HERD_MUST_CHECK __attribute__((warn_unused_result))

/* A bug of ours: stays on in every build, never used on bytes from the wire, flash, a peer or a
 * port. Does not return: hal_panic records place and resets (board) or aborts (POSIX). */
void hal_panic(const char *file, unsigned line, const char *what) __attribute__((noreturn));
#define HERD_ASSERT(x) ((x) ? (void)0 : hal_panic(__FILE__, __LINE__, #x))

#endif

/* TLS contexts of OpenSSL, one per certificate that can be shown. */
#ifndef STANDIN_TLS_H
#define STANDIN_TLS_H

#include <openssl/ssl.h>

enum tls_variant {
    TLS_GOOD,
    TLS_NO_RESUMPTION, /* the good certificate; no tickets, no session cache */
    TLS_WRONG_HOST,
    TLS_UNKNOWN_CA,
    TLS_SELF_SIGNED,
    TLS_CUT_CHAIN,
    TLS_EXPIRED,
    TLS_NOT_YET_VALID,
    TLS_VARIANTS
};

/* Loads every certificate of one chain ("ec" or "rsa") from directory. version: TLS1_2_VERSION,
 * TLS1_3_VERSION or 0 for both. Returns NULL, or one line that says what is wrong and what to do;
 * valid until the next call. */
const char *tls_load(SSL_CTX *contexts[TLS_VARIANTS], const char *directory, const char *chain,
                     int version);

void tls_free(SSL_CTX *contexts[TLS_VARIANTS]);

#endif

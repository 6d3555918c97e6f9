#include "tls.h"

#include <stdio.h>
#include <unistd.h>

#include <openssl/err.h>

static const char *const suffixes[TLS_VARIANTS] = {
    [TLS_GOOD] = "",
    [TLS_NO_RESUMPTION] = "",
    [TLS_WRONG_HOST] = "-wrong-host",
    [TLS_UNKNOWN_CA] = "-unknown-ca",
    [TLS_SELF_SIGNED] = "-self-signed",
    [TLS_CUT_CHAIN] = "-cut-chain",
    [TLS_EXPIRED] = "-expired",
    [TLS_NOT_YET_VALID] = "-not-yet-valid",
};

static char error_text[1024];

static const char *openssl_error(const char *path)
{
    char reason[256];
    ERR_error_string_n(ERR_get_error(), reason, sizeof reason);
    snprintf(error_text, sizeof error_text, "%s: %s", path, reason);
    ERR_clear_error();
    return error_text;
}

/* Each context has keys for tickets and an identity of its own: a session of one variant is never
 * resumed in another, which would hide the bad certificate. */
static void set_sessions(SSL_CTX *context, enum tls_variant variant)
{
    unsigned char identity[] = {'s', 't', 'a', 'n', 'd', 'i', 'n', (unsigned char)('0' + variant)};
    SSL_CTX_set_session_id_context(context, identity, sizeof identity);
    if (variant == TLS_NO_RESUMPTION) {
        SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_num_tickets(context, 0);
    } else {
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_SERVER);
    }
}

static const char *load_one(SSL_CTX **result, enum tls_variant variant, const char *directory,
                            const char *chain, int version)
{
    char certificates[512];
    char key[512];
    snprintf(certificates, sizeof certificates, "%s/chain-%s%s.pem", directory, chain,
             suffixes[variant]);
    snprintf(key, sizeof key, "%s/leaf-%s.key", directory, chain);
    if (access(certificates, R_OK) != 0 || access(key, R_OK) != 0) {
        snprintf(error_text, sizeof error_text,
                 "no certificates in %s; make them with tools/places-standin/certs.sh %s",
                 directory, directory);
        return error_text;
    }
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    *result = context;
    if (context == NULL) {
        return openssl_error("OpenSSL");
    }
    SSL_CTX_set_min_proto_version(context, version != 0 ? version : TLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(context, version);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    set_sessions(context, variant);
    if (SSL_CTX_use_certificate_chain_file(context, certificates) != 1) {
        return openssl_error(certificates);
    }
    if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context) != 1) {
        return openssl_error(key);
    }
    return NULL;
}

const char *tls_load(SSL_CTX *contexts[TLS_VARIANTS], const char *directory, const char *chain,
                     int version)
{
    for (int i = 0; i < TLS_VARIANTS; i++) {
        const char *error = load_one(&contexts[i], (enum tls_variant)i, directory, chain, version);
        if (error != NULL) {
            return error;
        }
    }
    return NULL;
}

void tls_free(SSL_CTX *contexts[TLS_VARIANTS])
{
    for (int i = 0; i < TLS_VARIANTS; i++) {
        SSL_CTX_free(contexts[i]);
        contexts[i] = NULL;
    }
}

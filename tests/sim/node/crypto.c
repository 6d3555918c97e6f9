/* How much of a step's time is mbedTLS's: what a step may take is asked of our own code. The linker puts
 * these before mbedTLS's (--wrap, tests/sim/sim.mk); firmware/tls.c is their only caller. */
#include <mbedtls/ssl.h>

#include "sim_node.h"

int __real_mbedtls_ssl_handshake_step(mbedtls_ssl_context *ssl);
int __real_mbedtls_ssl_read(mbedtls_ssl_context *ssl, unsigned char *out, size_t bytes);
int __real_mbedtls_ssl_write(mbedtls_ssl_context *ssl, const unsigned char *data, size_t bytes);
int __wrap_mbedtls_ssl_handshake_step(mbedtls_ssl_context *ssl);
int __wrap_mbedtls_ssl_read(mbedtls_ssl_context *ssl, unsigned char *out, size_t bytes);
int __wrap_mbedtls_ssl_write(mbedtls_ssl_context *ssl, const unsigned char *data, size_t bytes);

int64_t sim_crypto_ns;

static int64_t host_ns(void)
{
    return sim_host.host_ns(sim_host.wire.context);
}

int __wrap_mbedtls_ssl_handshake_step(mbedtls_ssl_context *ssl)
{
    int64_t since_ns = host_ns();
    int result = __real_mbedtls_ssl_handshake_step(ssl);
    sim_crypto_ns += host_ns() - since_ns;
    return result;
}

int __wrap_mbedtls_ssl_read(mbedtls_ssl_context *ssl, unsigned char *out, size_t bytes)
{
    int64_t since_ns = host_ns();
    int result = __real_mbedtls_ssl_read(ssl, out, bytes);
    sim_crypto_ns += host_ns() - since_ns;
    return result;
}

int __wrap_mbedtls_ssl_write(mbedtls_ssl_context *ssl, const unsigned char *data, size_t bytes)
{
    int64_t since_ns = host_ns();
    int result = __real_mbedtls_ssl_write(ssl, data, bytes);
    sim_crypto_ns += host_ns() - since_ns;
    return result;
}

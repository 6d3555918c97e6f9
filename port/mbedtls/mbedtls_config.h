/* mbedTLS 3.6 as herd uses it: TLS 1.2 without heap, files, sockets or error strings, in two profiles.
 * The upstream's (firmware/tls_upstream.c) is a client with certificates, in builds with CFG_UPSTREAM. The
 * links' (firmware/tls_link.c) is client and server with pre-shared keys, in every build; of elliptic curves
 * it has what CFG_LINK_ECDHE asks for.
 *
 * Why TLS 1.2 only: a handshake of 1.3 needs the PSA key store and about 4 KB more memory, and its
 * ECC cannot be sliced (MBEDTLS_ECP_RESTARTABLE is for legacy crypto and 1.2), so that one
 * handshake would stop a board for seconds. What 1.2 is used with here (ECDHE or keys of 256 random
 * bits, AEAD, extended master secret) has no known weakness that 1.3 mends. On a link the suite without
 * ECDHE has no forward secrecy in 1.3 either, and both ends are ours: there is nothing to negotiate.
 */
#ifndef MBEDTLS_CONFIG_H
#define MBEDTLS_CONFIG_H

#include "cfg.h"

/* --- Platform: nothing of the C library but memory and string functions --------------------- */
#define MBEDTLS_HAVE_ASM
#define MBEDTLS_PLATFORM_C
#define MBEDTLS_PLATFORM_MEMORY       /* firmware/tls_memory.c */
#define MBEDTLS_PLATFORM_CALLOC_MACRO tls_memory_calloc
#define MBEDTLS_PLATFORM_FREE_MACRO   tls_memory_free
void *tls_memory_calloc(__SIZE_TYPE__ count, __SIZE_TYPE__ bytes);
void tls_memory_free(void *at);
#define MBEDTLS_PLATFORM_NO_STD_FUNCTIONS
#define MBEDTLS_NO_PLATFORM_ENTROPY /* hal_entropy, by way of firmware/rng.c */

/* mbedTLS makes text of names and numbers of certificates for callers that we do not have. */
#define mbedtls_port_print(...)         ((void)0) /* arguments vanish, stderr among them */
#define MBEDTLS_PLATFORM_FPRINTF_MACRO  mbedtls_port_print
#define MBEDTLS_PLATFORM_PRINTF_MACRO   mbedtls_port_print
#define MBEDTLS_PLATFORM_SNPRINTF_MACRO mbedtls_port_snprintf
int mbedtls_port_snprintf(char *out, __SIZE_TYPE__ bytes, const char *format, ...);

#if CFG_UPSTREAM
/* Dates of certificates are checked against wall_now_ns. 64 bits, so that 2038 is a year. */
#define MBEDTLS_HAVE_TIME
#define MBEDTLS_HAVE_TIME_DATE
#define MBEDTLS_PLATFORM_TIME_TYPE_MACRO __INT64_TYPE__
#define MBEDTLS_PLATFORM_TIME_MACRO      mbedtls_port_time
#define MBEDTLS_PLATFORM_MS_TIME_ALT
#define MBEDTLS_PLATFORM_GMTIME_R_ALT
__INT64_TYPE__ mbedtls_port_time(__INT64_TYPE__ *out);
#endif

/* --- TLS ------------------------------------------------------------------------------------- */
#define MBEDTLS_SSL_TLS_C
#define MBEDTLS_SSL_CLI_C
#define MBEDTLS_SSL_SRV_C
#define MBEDTLS_SSL_SRV_PSK_ONLY /* tools/patches/mbedtls */
#define MBEDTLS_SSL_PROTO_TLS1_2
#define MBEDTLS_SSL_EXTENDED_MASTER_SECRET
#define MBEDTLS_SSL_ALL_ALERT_MESSAGES /* who has a wrong key hears of it */
#define MBEDTLS_KEY_EXCHANGE_PSK_ENABLED
#define MBEDTLS_PSK_MAX_LEN 32
#if CFG_LINK_ECDHE
#define MBEDTLS_KEY_EXCHANGE_ECDHE_PSK_ENABLED
#endif
#if CFG_UPSTREAM
#define MBEDTLS_SSL_SERVER_NAME_INDICATION
#define MBEDTLS_SSL_SESSION_TICKETS
#define MBEDTLS_KEY_EXCHANGE_ECDHE_ECDSA_ENABLED
#define MBEDTLS_KEY_EXCHANGE_ECDHE_RSA_ENABLED
#endif

/* Bounds of a record's plaintext; a configuration may have less (tools/patches/mbedtls). Google ignores
 * max_fragment_length: its records have up to 16 KB. Ours are requests, and frames. */
#if CFG_UPSTREAM
#define MBEDTLS_SSL_IN_CONTENT_LEN 16384
#define MBEDTLS_SSL_OUT_CONTENT_LEN                                                                \
    (CFG_TLS_OUT_BYTES > CFG_LINK_OUT_BYTES ? CFG_TLS_OUT_BYTES : CFG_LINK_OUT_BYTES)
#else
#define MBEDTLS_SSL_IN_CONTENT_LEN  CFG_LINK_RECORD_BYTES
#define MBEDTLS_SSL_OUT_CONTENT_LEN CFG_LINK_OUT_BYTES
#endif

/* Only the ciphersuites that our profiles offer; each configuration says which of them are its own. */
#define MBEDTLS_PORT_LINK_SUITES MBEDTLS_TLS_PSK_WITH_AES_128_GCM_SHA256
#if CFG_LINK_ECDHE
#define MBEDTLS_PORT_LINK_ECDHE_SUITES , MBEDTLS_TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256
#else
#define MBEDTLS_PORT_LINK_ECDHE_SUITES
#endif
#if CFG_UPSTREAM
#define MBEDTLS_PORT_UPSTREAM_SUITES                                                               \
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,                                               \
        MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,                                             \
        MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,                                     \
        MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,                                       \
        MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,                                           \
        MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
#else
#define MBEDTLS_PORT_UPSTREAM_SUITES
#endif
#define MBEDTLS_SSL_CIPHERSUITES                                                                   \
    MBEDTLS_PORT_UPSTREAM_SUITES MBEDTLS_PORT_LINK_SUITES MBEDTLS_PORT_LINK_ECDHE_SUITES

/* --- X.509 ----------------------------------------------------------------------------------- */
#if CFG_UPSTREAM
#define MBEDTLS_X509_USE_C
#define MBEDTLS_X509_CRT_PARSE_C
#define MBEDTLS_X509_REMOVE_INFO
#define MBEDTLS_PEM_PARSE_C /* trust_file */
#define MBEDTLS_BASE64_C
#define MBEDTLS_ASN1_PARSE_C
#define MBEDTLS_ASN1_WRITE_C
#define MBEDTLS_OID_C
#define MBEDTLS_PK_C
#define MBEDTLS_PK_PARSE_C
#define MBEDTLS_RSA_C
#define MBEDTLS_PKCS1_V15
#define MBEDTLS_ECDSA_C
#define MBEDTLS_ECP_DP_SECP256R1_ENABLED
#define MBEDTLS_ECP_DP_SECP384R1_ENABLED
#define MBEDTLS_ECP_NIST_OPTIM
#define MBEDTLS_ECP_RESTARTABLE /* a handshake may take many short steps: tls_handshake */
#endif

/* --- Crypto ---------------------------------------------------------------------------------- */
#if CFG_UPSTREAM || CFG_LINK_ECDHE
#define MBEDTLS_BIGNUM_C
#define MBEDTLS_MPI_MAX_SIZE 512 /* RSA-4096 roots */
#define MBEDTLS_ECP_C
#define MBEDTLS_ECDH_C
#define MBEDTLS_ECP_DP_CURVE25519_ENABLED
#define MBEDTLS_CHACHA20_C
#define MBEDTLS_POLY1305_C
#define MBEDTLS_CHACHAPOLY_C
#endif
#define MBEDTLS_AES_C
#define MBEDTLS_AES_ROM_TABLES /* 8 KB of flash, or the same of RAM */
#define MBEDTLS_AES_FEWER_TABLES
#if !CFG_UPSTREAM
/* Nothing here asks for more than 128 bits: each key takes 96 bytes less. */
#define MBEDTLS_AES_ONLY_128_BIT_KEY_LENGTH
#endif
#define MBEDTLS_BLOCK_CIPHER_NO_DECRYPT /* GCM and CTR encrypt only */
#define MBEDTLS_CIPHER_C
#define MBEDTLS_GCM_C
#define MBEDTLS_MD_C
#define MBEDTLS_SHA256_C
#if CFG_UPSTREAM
/* GlobalSign Root CA signs itself with SHA-1: needed to parse it. The verification profile
 * (mbedtls_x509_crt_profile_default) accepts SHA-1 nowhere in a chain. */
#define MBEDTLS_SHA1_C
#define MBEDTLS_SHA224_C
#define MBEDTLS_SHA384_C
#define MBEDTLS_SHA512_C
#define MBEDTLS_SHA256_SMALLER /* 1.4 KB of flash; nothing in bulk is hashed */
#define MBEDTLS_SHA512_SMALLER /* 2 KB of flash; it hashes a handshake, and certificates */
#endif
#define MBEDTLS_CTR_DRBG_C
#define MBEDTLS_CTR_DRBG_ENTROPY_LEN                                                               \
    48 /* AES-256: 32 bytes of key, 16 of nonce (SP 800-90A, 10.2.1) */
#define MBEDTLS_VERSION_C

#endif

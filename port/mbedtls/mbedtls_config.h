/* mbedTLS 3.6 as herd uses it: a TLS 1.2 client without heap, files, sockets or error strings.
 *
 * Why TLS 1.2 only: a handshake of 1.3 needs the PSA key store and about 4 KB more memory, and its
 * ECC cannot be sliced (MBEDTLS_ECP_RESTARTABLE is for legacy crypto and 1.2), so that one
 * handshake would stop a board for seconds. What 1.2 is used with here (ECDHE, AEAD, extended master
 * secret) has no known weakness that 1.3 mends.
 *
 * The links' profile (pre-shared keys) goes into this file as well, in the two places marked so.
 */
#ifndef MBEDTLS_CONFIG_H
#define MBEDTLS_CONFIG_H

#include "cfg.h"

/* --- Platform: nothing of the C library but memory and string functions --------------------- */
#define MBEDTLS_HAVE_ASM
#define MBEDTLS_PLATFORM_C
#define MBEDTLS_PLATFORM_MEMORY
#define MBEDTLS_PLATFORM_NO_STD_FUNCTIONS
#define MBEDTLS_MEMORY_BUFFER_ALLOC_C   /* the arena of firmware/tls.c */
#define MBEDTLS_MEMORY_ALIGN_MULTIPLE 8 /* uint64_t and pointers; its default of 4 is for 32 bits */
#define MBEDTLS_MEMORY_DEBUG            /* bytes used and most ever, for tls_stats */
#define MBEDTLS_NO_PLATFORM_ENTROPY     /* hal_entropy, by way of firmware/rng.c */

/* mbedTLS prints when its arena is corrupt, before it exits, and makes text of names and numbers of
 * certificates for callers that we do not have. */
#define mbedtls_port_print(...)         ((void)0) /* arguments vanish, stderr among them */
#define MBEDTLS_PLATFORM_FPRINTF_MACRO  mbedtls_port_print
#define MBEDTLS_PLATFORM_PRINTF_MACRO   mbedtls_port_print
#define MBEDTLS_PLATFORM_SNPRINTF_MACRO mbedtls_port_snprintf
#define MBEDTLS_PLATFORM_EXIT_MACRO     mbedtls_port_exit
int mbedtls_port_snprintf(char *out, __SIZE_TYPE__ bytes, const char *format, ...);
void mbedtls_port_exit(int status) __attribute__((noreturn));

/* Dates of certificates are checked against hal_clock_wall_ns. 64 bits, so that 2038 is a year. */
#define MBEDTLS_HAVE_TIME
#define MBEDTLS_HAVE_TIME_DATE
#define MBEDTLS_PLATFORM_TIME_TYPE_MACRO __INT64_TYPE__
#define MBEDTLS_PLATFORM_TIME_MACRO      mbedtls_port_time
#define MBEDTLS_PLATFORM_MS_TIME_ALT
#define MBEDTLS_PLATFORM_GMTIME_R_ALT
__INT64_TYPE__ mbedtls_port_time(__INT64_TYPE__ *out);

/* --- TLS ------------------------------------------------------------------------------------- */
#define MBEDTLS_SSL_TLS_C
#define MBEDTLS_SSL_CLI_C
#define MBEDTLS_SSL_PROTO_TLS1_2
#define MBEDTLS_SSL_SERVER_NAME_INDICATION
#define MBEDTLS_SSL_EXTENDED_MASTER_SECRET
#define MBEDTLS_SSL_SESSION_TICKETS
#define MBEDTLS_KEY_EXCHANGE_ECDHE_ECDSA_ENABLED
#define MBEDTLS_KEY_EXCHANGE_ECDHE_RSA_ENABLED
/* Links, to come: KEY_EXCHANGE_PSK and ECDHE_PSK, SSL_SRV_C. */

/* Google ignores max_fragment_length: its records have up to 16 KB. Ours are requests. */
#define MBEDTLS_SSL_IN_CONTENT_LEN  16384
#define MBEDTLS_SSL_OUT_CONTENT_LEN CFG_TLS_OUT_BYTES

/* Only the ciphersuites that tls.c offers. */
#define MBEDTLS_SSL_CIPHERSUITES                                                                   \
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,                                               \
        MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,                                             \
        MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,                                     \
        MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,                                       \
        MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,                                           \
        MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
/* Links, to come: the PSK suites, in the same list. */

/* --- X.509 ----------------------------------------------------------------------------------- */
#define MBEDTLS_X509_USE_C
#define MBEDTLS_X509_CRT_PARSE_C
#define MBEDTLS_X509_REMOVE_INFO
#define MBEDTLS_PEM_PARSE_C /* trust_file */
#define MBEDTLS_BASE64_C
#define MBEDTLS_ASN1_PARSE_C
#define MBEDTLS_ASN1_WRITE_C
#define MBEDTLS_OID_C

/* --- Crypto ---------------------------------------------------------------------------------- */
#define MBEDTLS_PK_C
#define MBEDTLS_PK_PARSE_C
#define MBEDTLS_RSA_C
#define MBEDTLS_PKCS1_V15
#define MBEDTLS_BIGNUM_C
#define MBEDTLS_MPI_MAX_SIZE 512 /* RSA-4096 roots */
#define MBEDTLS_ECP_C
#define MBEDTLS_ECDH_C
#define MBEDTLS_ECDSA_C
#define MBEDTLS_ECP_DP_SECP256R1_ENABLED
#define MBEDTLS_ECP_DP_SECP384R1_ENABLED
#define MBEDTLS_ECP_DP_CURVE25519_ENABLED
#define MBEDTLS_ECP_NIST_OPTIM
#define MBEDTLS_ECP_RESTARTABLE /* a handshake may take many short steps: tls_handshake */
#define MBEDTLS_AES_C
#define MBEDTLS_AES_ROM_TABLES /* 8 KB of flash, or the same of RAM */
#define MBEDTLS_AES_FEWER_TABLES
#define MBEDTLS_CIPHER_C
#define MBEDTLS_GCM_C
#define MBEDTLS_CHACHA20_C
#define MBEDTLS_POLY1305_C
#define MBEDTLS_CHACHAPOLY_C
#define MBEDTLS_MD_C
/* GlobalSign Root CA signs itself with SHA-1: needed to parse it. The verification profile
 * (mbedtls_x509_crt_profile_default) accepts SHA-1 nowhere in a chain. */
#define MBEDTLS_SHA1_C
#define MBEDTLS_SHA224_C
#define MBEDTLS_SHA256_C
#define MBEDTLS_SHA384_C
#define MBEDTLS_SHA512_C
#define MBEDTLS_CTR_DRBG_C
#define MBEDTLS_CTR_DRBG_ENTROPY_LEN                                                               \
    48 /* AES-256: 32 bytes of key, 16 of nonce (SP 800-90A, 10.2.1) */
#define MBEDTLS_VERSION_C

#endif

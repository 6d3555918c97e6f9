/* The root certificates that Google's servers chain to, built into the node.
 *
 * tools/build/anchors.sh generates the definitions from the build machine's ca-certificates. */
#ifndef TRUST_ANCHORS_H
#define TRUST_ANCHORS_H

#include <stddef.h>

/* One root certificate. All of it is constant data with the life of the program. */
struct trust_anchor {
    const char *name;         /* common name for people, for example "GTS Root R1" */
    const unsigned char *der; /* one X.509 certificate in DER */
    size_t der_bytes;         /* length of der, at least 1 */
};

/* The anchors in a fixed order: GTS Root R1 to R4, GlobalSign ECC Root CA - R4, GlobalSign Root CA.
 * Indices 0 to trust_anchors_count - 1 are valid. DER can be given to
 * mbedtls_x509_crt_parse_der_nocopy(), since it outlives every parsed certificate. */
extern const struct trust_anchor trust_anchors[];

/* Number of anchors, at least 1. */
extern const size_t trust_anchors_count;

#endif

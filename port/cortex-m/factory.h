/* The factory configuration: what `make firmware HERD=FILE NODE=NAME` built into the image
 * (tools/build/factory writes its source). */
#ifndef CORTEXM_FACTORY_H
#define CORTEXM_FACTORY_H

#include "text.h"

struct factory {
    struct span herd_file; /* its name, for errors */
    struct span herd_text;
    struct span node;
    struct span settings;   /* lines of section.key=value, over the herd file */
    struct span places_key; /* empty: none */
    struct span trust_pem;  /* with its final NUL counted; empty: the built-in anchors */
};

extern const struct factory factory;

#endif

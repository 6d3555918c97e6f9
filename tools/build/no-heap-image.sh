#!/bin/sh
# tools/build/no-heap-image.sh NM IMAGE: fails when the image holds an allocator or what brings one in.
set -eu
"$1" "$2" | awk '
    $NF ~ /^_?(malloc|calloc|realloc|free|sbrk|memalign)(_r)?$|^_?v?(s|sn|f)?i?printf(_r)?$|^_?strtod(_r|_l)?$/ {
        printf "no-heap: the image holds %s\n", $NF
        bad = 1
    }
    END { exit bad }' >&2 || { rm -f "$2"; exit 1; }

#!/bin/sh
# tools/build/no-heap.sh NM [--map FILE] OBJECT|ARCHIVE...
#
# Fails when an object refers to the heap or to a function of the C library that brings it in
# (newlib's printf and strtod call malloc). One line names each object and symbol. With --map only
# the members of the archives are looked at that this link map says are part of the program.
#
# ini.c of inih may name fopen, fgets and fclose: they stand in ini_parse(), which reads a named
# file. The node parses text that it holds, so --gc-sections drops ini_parse() from the image.
set -eu
nm=$1
shift
map=
if [ "$1" = --map ]; then
    map=$2
    shift 2
fi
[ $# -gt 0 ] || exit 0

"$nm" -A -u "$@" 2>/dev/null | awk -v map="$map" '
    BEGIN {
        while (map != "" && (getline line < map) > 0) {
            if (line ~ /^Discarded input sections/ || line ~ /^Memory Configuration/) break
            if (match(line, /^[^ ]*\.a\([^)]*\)/)) {
                member = substr(line, RSTART, RLENGTH); sub(/\($/, "", member)
                sub(/\(/, ":", member); sub(/\)/, "", member)
                linked[member] = 1
            }
        }
        heap = "^_?(malloc|calloc|realloc|reallocarray|free|aligned_alloc|memalign|posix_memalign|strdup|strndup)(_r)?$"
        print_family = "^_?(v?(f|s|sn|d|as)?i?printf|f?puts|f?putc|putchar|perror|v?[fs]?i?scanf|strto(d|f|ld)|atof)(_r|_unlocked)?$"
        file = "^(fopen|freopen|fclose|fgets|fread|fwrite)(64)?$"
    }
    {
        symbol = $NF; sub(/@.*/, "", symbol)
        plain = symbol; sub(/^__(isoc[0-9]+_)?/, "", plain); sub(/_chk$/, "", plain)
        where = $1; sub(/:$/, "", where)
        if (map != "" && !(where in linked)) next
        if (plain ~ file && where ~ /ini\.o$/) next
        if (plain ~ heap || plain ~ print_family || plain ~ file) {
            printf "no-heap: %s refers to %s\n", where, symbol
            bad = 1
        }
    }
    END { exit bad }' >&2

#!/bin/sh
# tools/build/check-board.sh BOARD: every CFG_ that boards/BOARD/board.h defines must be an option
# of firmware/cfg.h, so that a typo does not silently keep the default.
set -eu
cd "$(dirname "$0")/../.."
board=boards/$1/board.h
[ -f "$board" ] || board=tests/${1%-small}/board/board.h
[ -f "$board" ] && [ -f firmware/cfg.h ] || exit 0
awk '
    /^[ \t]*#[ \t]*define[ \t]+CFG_/ {
        line = $0; sub(/^[ \t]*#[ \t]*define[ \t]+/, "", line); sub(/[^A-Z0-9_a-z].*/, "", line)
        if (FILENAME == "firmware/cfg.h") option[line] = 1
        else if (!(line in option)) {
            printf "%s:%d: %s is not an option of firmware/cfg.h\n", FILENAME, FNR, line
            bad = 1
        }
    }
    END { exit bad }' firmware/cfg.h "$board" >&2

#!/bin/sh
# tests/sim/hash.sh SEED COUNT SUITE BUILD...: the same seeds in several builds of the simulator (folders with
# sim, node.so, ...) must give the same hashes, run by run; in the first build also a second time, in two
# processes and without randomized addresses.
set -eu
seed=$1 count=$2 suite=$3
shift 3
first=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

hashes() { # NAME COMMAND...: lines "seed hash", sorted, into $work/NAME
    name=$1
    shift
    "$@" --seed "$seed" --runs "$count" --suite "$suite" --hashes >"$work/out" ||
        { cat "$work/out"; echo "FAILED $name"; exit 1; }
    sed -n 's/^hash //p' "$work/out" | sort -n >"$work/$name"
    [ "$(wc -l <"$work/$name")" -eq "$count" ] || { echo "FAILED $name: not $count hashes"; exit 1; }
}

compare() { # NAME
    if cmp -s "$work/first" "$work/$1"; then
        echo "ok     $suite, $count seeds from $seed: $1"
    else
        echo "FAILED $suite: $1 differs from the first run, seed and hash:"
        diff "$work/first" "$work/$1" | head -n 4
        exit 1
    fi
}

hashes first "$first/sim" --jobs 1
hashes again "$first/sim" --jobs 2
compare again
if setarch -R true 2>/dev/null; then
    hashes fixed-addresses setarch -R "$first/sim" --jobs 2
    compare fixed-addresses
fi
shift
for build; do
    name=$(echo "$build" | tr / -)
    hashes "$name" "$build/sim" --jobs 2
    compare "$name"
done

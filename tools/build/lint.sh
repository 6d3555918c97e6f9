#!/bin/sh
# tools/build/lint.sh: clang-format, cppcheck, include rules, and the syntax of our scripts.
# Runs everything, then exits 1 if anything complained.
set -u
cd "$(dirname "$0")/../.."
status=0
part() { # NAME COMMAND...
    name=$1
    shift
    if "$@"; then echo "ok     $name"; else echo "FAILED $name"; status=1; fi
}

sources=$(find firmware hal port boards tools tests -name '*.[ch]' 2>/dev/null | sort)
programs=$(echo "$sources" | grep '\.c$')
scripts=$(find tools .ci -type f -exec grep -l -m 1 '^#!/bin/\(ba\)\{0,1\}sh' {} + 2>/dev/null | sort)

formatted() {
    wrong=$(clang-format --dry-run $sources 2>&1 | sed -n 's/^\([^:]*\):[0-9:]* .*clang-formatted.*/\1/p' |
        sort -u)
    [ -z "$wrong" ] || { echo "not formatted (make format):" $wrong; return 1; }
}

scripts_parse() {
    bad=0
    for script in $scripts; do
        case $(head -n 1 "$script") in
        *bash*) bash -n "$script" || bad=1 ;;
        *) sh -n "$script" || bad=1 ;;
        esac
    done
    return $bad
}

pythons_parse() {
    find tools tests -name '*.py' -o -type f -path 'tools/build/*' 2>/dev/null | while read -r file; do
        case $(head -n 1 "$file") in
        *python3*) echo "$file" ;;
        *) case $file in *.py) echo "$file" ;; esac ;;
        esac
    done | /usr/bin/python3 -c '
import ast, sys
bad = 0
for name in sys.stdin.read().split():
    try:
        ast.parse(open(name).read(), name)
    except SyntaxError as error:
        print(error); bad = 1
sys.exit(bad)'
}

# A file that a patch brings along would be a copy of somebody else's.
patches_only_change() {
    ! grep -lE '^--- /dev/null|^\+\+\+ .*\.orig' tools/patches/*/*.patch
}

# port/cortex-m compares addresses that the linker script gives: one block to us, many to cppcheck.
# The libraries are not looked at; knownConditionTrueFalse and the like are style and not asked for.
[ -z "$sources" ] || part clang-format formatted
[ -z "$programs" ] || part cppcheck cppcheck --quiet -j "$(nproc)" --std=c11 --error-exitcode=1 \
    --enable=warning,portability --inline-suppr --suppress=missingInclude \
    --suppress=missingIncludeSystem --suppress=unmatchedSuppression \
    --suppress='comparePointers:port/cortex-m/*' --suppress='comparePointers:port/kinetis/*' -D__GNUC__=12 \
    -Ifirmware -Ihal -Iboards/posix -Iport/lwip -Iport/mbedtls -Iport/cjson -Iport/posix \
    -Itools/common $programs
part 'include rules' tools/build/check-includes
part 'patches bring no files' patches_only_change
part 'shell scripts' scripts_parse
part 'python scripts' pythons_parse
exit $status

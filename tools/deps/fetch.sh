#!/bin/sh
# Brings the pinned third-party sources to build/deps/NAME, patched and ready to compile.
#
#   tools/deps/fetch.sh            fetch, verify, unpack and patch what is missing or has changed
#   tools/deps/fetch.sh archives   only fetch and verify; prints the path of each archive
#
# Environment: DEPS_DIR (a folder with archives), DEPS_URL (where the release archive is).
# Needs no privileges and changes nothing of the system: apt runs with a configuration, lists and
# cache of its own under build/deps/.apt. Exit 0 when every dependency is there, else 1 with one
# line per missing dependency. A tree is unpacked beside its place and renamed, so build/deps/NAME
# is complete whenever it exists.
set -u
LC_ALL=C
export LC_ALL

root=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
pins=$root/tools/deps/pins
deps=$root/build/deps
store=$deps/.archives
apt=$deps/.apt
mode=${1:-unpack}
tab=$(printf '\t')

say() { echo "deps: $*" >&2; }

sum_of() { sha256sum "$1" | cut -d' ' -f1; }

# The lines of the pins file without comments.
pin_lines() { grep -v '^[[:space:]]*\(#\|$\)' "$pins"; }

# What build/deps/NAME must have been made from: the pins of NAME and the sums of its patches.
identity() {
    pin_lines | awk -v name="$1" '$1 == name { print $1, $2, $4, $5 }'
    for patch in "$root/tools/patches/$1"/*.patch; do
        [ ! -f "$patch" ] || echo "$(basename "$patch") $(sum_of "$patch")"
    done
}

is_current() { [ -d "$deps/$1" ] && [ -f "$deps/.stamp-$1" ] &&
    [ "$(identity "$1")" = "$(cat "$deps/.stamp-$1")" ]; }

# --- apt ---------------------------------------------------------------------------------------

# Prints "SCORE<tab>URI<tab>KEYRING" for every Debian archive in the machine's apt sources. Other
# vendors also publish suites with Debian's names, so an entry signed by Debian's own keyring wins.
mirrors() {
    for file in /etc/apt/sources.list.d/*.sources; do
        [ -f "$file" ] && awk -v RS= '
            function field(name,    i, n, line, lines, value, on) {
                n = split($0, lines, "\n"); value = ""; on = 0
                for (i = 1; i <= n; i++) {
                    line = lines[i]
                    if (line ~ /^#/) continue
                    if (tolower(line) ~ "^" name ":") {
                        on = 1; sub(/^[^:]*:[ \t]*/, "", line); value = line
                    } else if (on && line ~ /^[ \t]/) { value = value " " line }
                    else on = 0
                }
                return value
            }
            {
                if (tolower(field("enabled")) == "no") next
                n = split(field("uris"), uri, /[ \t]+/)
                key = field("signed-by")
                if (key !~ /^[ \t]*\/[^ ]*[ \t]*$/) key = ""   # a key given inline: use the default
                print field("types") "\t" uri[1] "\t" field("suites") "\t" field("components") "\t" key
            }' "$file"
    done
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -f "$file" ] && awk '
            $1 == "deb" || $1 == "deb-src" {
                type = $1; key = ""
                if (match($0, /\[[^]]*\]/)) {
                    options = substr($0, RSTART + 1, RLENGTH - 2)
                    $0 = substr($0, 1, RSTART - 1) " " substr($0, RSTART + RLENGTH)
                    n = split(options, option, " ")
                    for (i = 1; i <= n; i++)
                        if (sub(/^signed-by=/, "", option[i])) key = option[i]
                }
                sub(/#.*/, "")
                components = ""
                for (i = 4; i <= NF; i++) components = components " " $i
                print type "\t" $2 "\t" $3 "\t" components "\t" key
            }' "$file"
    done
}

choose_mirror() {
    mirrors | awk -F '\t' '
        $2 ~ /^cdrom/ { next }
        (" " $4 " ") !~ / main / { next }
        (" " $3 " ") !~ / (bullseye|bookworm|trixie|forky|duke|sid|(old)?stable|testing|unstable) / { next }
        {
            score = 1
            if ($2 ~ /\/debian\/?$/) score = 2
            if ($5 ~ /debian-archive-keyring/) score = 3
            if (score > best) { best = score; found = $2 "\t" $5 }
        }
        END { if (best) print found }'
}

# Every apt command of ours goes through here. The sandbox user may not read our folders, so root
# downloads as root; what arrives is checked against the pinned sum.
private() {
    command=$1
    shift
    set -- -o "Dir::Etc::SourceList=$apt/herd.sources" -o Dir::Etc::SourceParts=/dev/null \
        -o "Dir::State=$apt/state" -o "Dir::Cache=$apt/cache" "$@"
    [ "$(id -u)" = 0 ] && set -- -o APT::Sandbox::User=root "$@"
    "$command" "$@"
}

# Reads the source lists of the suites that missing dependencies name. Once per run; on failure
# apt_why says why apt is of no use.
apt_state=unknown
apt_why=
apt_ready() {
    [ $apt_state = unknown ] || { [ $apt_state = ready ]; return; }
    apt_state=failed
    command -v apt-get >/dev/null 2>&1 || { apt_why='this machine has no apt'; return 1; }
    mirror=$(choose_mirror)
    [ -n "$mirror" ] || { apt_why="this machine's apt sources name no Debian archive"; return 1; }
    suites=
    for dep in $missing; do
        for suite in $(pin_lines | awk -v n="$dep" '$1 == n { print $3 }' | tr , '\n' |
            sed -n 's|^apt:.*/||p'); do
            case " $suites " in *" $suite "*) ;; *) suites="$suites $suite" ;; esac
        done
    done
    mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial"
    {
        echo "Types: deb-src"
        echo "URIs: ${mirror%%"$tab"*}"
        echo "Suites:$suites"
        echo "Components: main"
        [ -n "${mirror#*"$tab"}" ] && echo "Signed-By: ${mirror#*"$tab"}"
    } >"$apt/herd.sources"
    say "reading the source lists of$suites"
    if ! private apt-get -qq update >"$apt/log" 2>&1; then
        apt_why="apt-get update failed: $(sed -n 's/^E: //p' "$apt/log" | head -n 1)"
        return 1
    fi
    apt_state=ready
}

from_apt() { # PACKAGE/SUITE ARCHIVE TARGET
    package=${1%/*}
    apt_ready || { why="apt: $apt_why"; return 1; }
    source_version=$(private apt-cache showsrc --only-source "$package" 2>/dev/null |
        awk -v file="$2" '$1 == "Version:" { v = $2 } $3 == file && !done { print v; done = 1 }')
    [ -n "$source_version" ] || { why="apt: ${1#*/} no longer has $2"; return 1; }
    rm -rf "$apt/download"
    mkdir -p "$apt/download"
    (cd "$apt/download" && private apt-get -qq source --only-source --download-only --tar-only \
        "$package=$source_version") >"$apt/log" 2>&1
    [ -f "$apt/download/$2" ] || {
        why="apt: download failed: $(sed -n 's/^E: //p' "$apt/log" | head -n 1)"
        return 1
    }
    mv "$apt/download/$2" "$3"
}

# --- the other sources -------------------------------------------------------------------------

from_dir() { # ARCHIVE TARGET
    [ -n "${DEPS_DIR:-}" ] || { why='DEPS_DIR: not given'; return 1; }
    [ -f "$DEPS_DIR/$1" ] || { why="DEPS_DIR: no $1 in $DEPS_DIR"; return 1; }
    cp "$DEPS_DIR/$1" "$2"
}

release_url() {
    [ -n "${DEPS_URL:-}" ] && { echo "${DEPS_URL%/}"; return; }
    origin=$(git -C "$root" remote get-url origin 2>/dev/null) || return 1
    case $origin in
    http://* | https://*) ;;
    *) return 1 ;;
    esac
    origin=${origin%/}
    echo "${origin%.git}/releases/download/deps"
}

from_release() { # ARCHIVE TARGET
    url=$(release_url) || { why='release: DEPS_URL not given, origin is not http(s)'; return 1; }
    shown=$(echo "$url" | sed 's|://[^/@]*@|://|') # an origin may carry a password
    if command -v curl >/dev/null 2>&1; then
        curl -fsSL --connect-timeout 20 --max-time 300 -o "$2" "$url/$1" 2>/dev/null
    elif command -v wget >/dev/null 2>&1; then
        wget -q -T 20 -O "$2" "$url/$1" 2>/dev/null
    elif [ -x /usr/lib/apt/apt-helper ]; then
        /usr/lib/apt/apt-helper -qq download-file "$url/$1" "$2" >/dev/null 2>&1
    else
        why='release: needs curl or wget'
        return 1
    fi || { rm -f "$2"; why="release: no $1 at $shown"; return 1; }
}

# --- one dependency ----------------------------------------------------------------------------

# Puts a verified archive of NAME into the store and its path into $archive.
obtain() {
    reasons=
    while read -r _ version sources file sum; do
        archive=$store/$file
        wanted="$1 $version"
        wanted_file=$file
        [ -f "$archive" ] && [ "$(sum_of "$archive")" = "$sum" ] && return 0
        for source in $(echo "$sources" | tr , ' '); do
            why=
            rm -f "$archive.part"
            case $source in
            dir) from_dir "$file" "$archive.part" ;;
            apt:*) from_apt "${source#apt:}" "$file" "$archive.part" ;;
            release) from_release "$file" "$archive.part" ;;
            *) why="$source: unknown source in $pins"; false ;;
            esac || { reasons="$reasons${reasons:+; }$why"; continue; }
            got=$(sum_of "$archive.part")
            if [ "$got" = "$sum" ]; then
                mv "$archive.part" "$archive"
                say "$1 $version: $file from $source"
                return 0
            fi
            rm -f "$archive.part"
            say "$1 $version: wrong SHA-256 of $file from $source: got $got, want $sum"
            reasons="$reasons${reasons:+; }$source: wrong SHA-256"
        done
    done <<PINS
$(pin_lines | awk -v n="$1" '$1 == n')
PINS
    say "$wanted is in no source ($reasons). Put $wanted_file into a folder and" \
        "run make again with DEPS_DIR=FOLDER"
    return 1
}

unpack() {
    temp=$deps/.unpack-$1
    rm -rf "$temp"
    mkdir -p "$temp"
    # -m: the time of unpacking, so that objects of an older version are rebuilt.
    tar -x -m --no-same-owner --strip-components=1 -C "$temp" -f "$archive" || {
        say "$1: cannot unpack $archive (are xz-utils and bzip2 installed?)"
        rm -rf "$temp"
        return 1
    }
    for patch in "$root/tools/patches/$1"/*.patch; do
        [ -f "$patch" ] || continue
        patch -s -N -p1 --no-backup-if-mismatch -d "$temp" <"$patch" >&2 || {
            say "$1: ${patch#"$root/"} does not apply to $(basename "$archive")"
            rm -rf "$temp"
            return 1
        }
    done
    rm -rf "$deps/.stamp-$1" "${deps:?}/$1"
    mv "$temp" "$deps/$1" && identity "$1" >"$deps/.stamp-$1"
}

names=$(pin_lines | awk '!seen[$1]++ { print $1 }')
mkdir -p "$store"
# Two makes in one tree wait for each other.
if command -v flock >/dev/null 2>&1; then
    exec 9>"$deps/.lock"
    flock 9
fi

missing=
for name in $names; do
    if [ "$mode" = archives ] || ! is_current "$name"; then missing="$missing $name"; fi
done

status=0
for name in $missing; do
    obtain "$name" || { status=1; continue; }
    if [ "$mode" = archives ]; then
        echo "$archive"
    else
        unpack "$name" || status=1
    fi
done
exit $status

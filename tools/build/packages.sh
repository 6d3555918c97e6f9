#!/bin/sh
# tools/build/packages.sh SET...: makes sure that the system packages of the sets are installed.
# Sets: run (build and start a herd), tap (make run NET=tap), test, m3 (Cortex-M3 objects),
# qemu (boards under QEMU), lint.
#
# Says what it installs before it does, with the system's package manager, through sudo when not
# root. Where that is not possible it prints the list and exits 1. Costs a few milliseconds when
# nothing is missing: what counts is that a tool or header is there, whoever put it there.
set -u

missing=
want() { case " $missing " in *" $1 "*) ;; *) missing="$missing $1" ;; esac; }
need_command() { command -v "$1" >/dev/null 2>&1 || want "$2"; }
need_file() { [ -e "$1" ] || want "$2"; }
need_modules() { # MODULE=PACKAGE...; pkg-config is asked once when all is well
    command -v pkg-config >/dev/null 2>&1 && pkg-config --exists $(echo "$@" | sed 's/=[^ ]*//g') && return
    for pair; do pkg-config --exists "${pair%%=*}" 2>/dev/null || want "${pair#*=}"; done
}

for set; do
    case $set in
    run)
        need_command gcc gcc
        need_command make make
        need_command pkg-config pkg-config
        need_command openssl openssl
        need_command xz xz-utils
        need_command bzip2 bzip2
        need_command patch patch
        need_file /usr/include/stdio.h libc6-dev
        need_file /usr/share/ca-certificates/mozilla ca-certificates
        need_modules slirp=libslirp-dev glib-2.0=libglib2.0-dev expat=libexpat1-dev openssl=libssl-dev
        ;;
    test)
        need_command clang clang
        need_command ip iproute2
        need_command unshare util-linux
        need_file /usr/sbin/dnsmasq dnsmasq-base
        need_command nc.openbsd netcat-openbsd
        need_command curl curl
        need_file /usr/bin/python3 python3
        need_file /usr/lib/python3/dist-packages/_pytest python3-pytest
        need_modules cmocka=libcmocka-dev
        ;;
    tap)
        need_command ip iproute2
        ;;
    m3)
        need_command arm-none-eabi-gcc gcc-arm-none-eabi
        need_file /usr/include/newlib/stdio.h libnewlib-arm-none-eabi
        ;;
    qemu)
        need_command qemu-system-arm qemu-system-arm
        need_command ip iproute2
        need_command unshare util-linux
        need_file /usr/lib/python3/dist-packages/_pytest python3-pytest
        ;;
    lint)
        need_command clang-format clang-format
        need_command cppcheck cppcheck
        need_file /usr/bin/python3 python3
        ;;
    *)
        echo "packages: unknown set $set" >&2
        exit 1
        ;;
    esac
done
[ -n "$missing" ] || exit 0

echo "packages: missing:$missing" >&2
stop() {
    echo "packages: $1; install these and run make again:$missing" >&2
    exit 1
}
command -v apt-get >/dev/null 2>&1 || stop 'this machine has no apt-get'
if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null 2>&1 && { sudo -n true 2>/dev/null || { : </dev/tty; } 2>/dev/null; }; then
    as_root=sudo
else
    stop 'not root, and no sudo'
fi

# env: sudo does not pass the environment on.
install() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
}
echo "packages: installing them with ${as_root:+sudo }apt-get" >&2
set -- /var/lib/apt/lists/*Packages*
if [ ! -e "$1" ]; then
    $as_root apt-get update -q >&2
    install >&2 || stop 'apt-get install failed'
else
    # Lists that are too old name versions that the mirror has dropped.
    install >&2 || { $as_root apt-get update -q >&2 && install >&2; } || stop 'apt-get install failed'
fi

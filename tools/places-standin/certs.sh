#!/bin/sh
# Makes the stand-in's certificates: certs.sh DIR [--force]. README.md lists the files.
# Run again it does nothing while the set is complete and valid for another 30 days.
# `openssl ca` and not `openssl x509`, because only it takes a start date before OpenSSL 3.4.
set -eu

version=2                       # raise it when what is made here changes
subject_base="/O=herd test PKI, not for use"
names="DNS:places.googleapis.com,DNS:maps.googleapis.com,DNS:*.googleapis.com,DNS:localhost"
wrong_names="DNS:wrong-host.example,DNS:*.wrong-host.example"

fail() {
    echo "certs.sh: $*" >&2
    exit 1
}

[ $# -ge 1 ] || fail "usage: certs.sh DIR [--force]"
dir=$1
force=${2:-}
command -v openssl >/dev/null || fail "openssl is missing; install the package openssl"
mkdir -p "$dir" || fail "cannot make $dir"
umask 077
exec 9>"$dir/.lock"
flock 9                         # two makes at once: the second finds the work done

is_complete() {
    [ "$(cat "$dir/.version" 2>/dev/null)" = "$version" ] || return 1
    for file in root-ec root-rsa chain-ec chain-rsa; do
        openssl x509 -in "$dir/$file.pem" -noout -checkend 2592000 >/dev/null 2>&1 || return 1
    done
}
if [ "$force" != --force ] && is_complete; then
    exit 0
fi
rm -f "$dir/.version"

work=$(mktemp -d "$dir/.work.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
log=$work/log

yesterday=$(date -u -d '-1 day' +%Y%m%d%H%M%SZ)
in_ten_years=$(date -u -d '+10 years' +%Y%m%d%H%M%SZ)

ca_section() {                  # section of the configuration of one `openssl ca` run
    cat <<EOF
[$1]
database = $work/index.txt
new_certs_dir = $work/issued
rand_serial = yes
default_md = sha256
policy = policy
unique_subject = no
copy_extensions = none
EOF
}

mkdir "$work/issued"
: >"$work/index.txt"
{
    ca_section ca
    cat <<EOF
[policy]
organizationName = supplied
commonName = supplied
[req]
distinguished_name = dn
[dn]
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[intermediate]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,digitalSignature,keyCertSign,cRLSign
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[leaf]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = $names
[leaf_wrong_host]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = $wrong_names
EOF
} >"$work/ca.cnf"

must() {                        # runs a command quietly; its words are shown when it fails
    "$@" >>"$log" 2>&1 || { cat "$log" >&2; fail "failed: $*"; }
}

rsa_key() { must openssl genpkey -algorithm RSA -pkeyopt "rsa_keygen_bits:$2" -out "$work/$1.key"; }
ec_key() { must openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/$1.key"; }

# sign NAME KEY COMMON_NAME EXTENSIONS ISSUER [START END]: NAME.pem, signed by ISSUER (itself: self).
sign() {
    must openssl req -new -key "$work/$2.key" -config "$work/ca.cnf" -out "$work/$1.csr" \
        -subj "$subject_base/CN=$3"
    if [ "$5" = self ]; then
        set -- "$1" "$2" "$3" "$4" "$5" "${6:-$yesterday}" "${7:-$in_ten_years}" -selfsign -keyfile "$work/$2.key"
    else
        set -- "$1" "$2" "$3" "$4" "$5" "${6:-$yesterday}" "${7:-$in_ten_years}" \
            -cert "$work/$5.pem" -keyfile "$work/$5.key"
    fi
    name=$1 extensions=$4 from=$6 until=$7
    shift 7
    must openssl ca -batch -notext -config "$work/ca.cnf" -name ca -extensions "$extensions" \
        -in "$work/$name.csr" -out "$work/$name.pem" -startdate "$from" -enddate "$until" "$@"
}

# chains KIND: the good chain of KIND and one for each certificate fault, all with leaf-KIND.key.
chains() {
    kind=$1
    sign "root-$kind" "root-$kind" "herd test root $kind" root self
    sign "inter-$kind" "inter-$kind" "herd test intermediate $kind" intermediate "root-$kind"
    sign "unknown-root-$kind" "unknown-root" "herd unknown root $kind" root self
    ln -sf unknown-root.key "$work/unknown-root-$kind.key"
    sign "leaf-$kind" "leaf-$kind" places.googleapis.com leaf "inter-$kind"
    sign "wrong-$kind" "leaf-$kind" wrong-host.example leaf_wrong_host "inter-$kind"
    sign "expired-$kind" "leaf-$kind" places.googleapis.com leaf "inter-$kind" \
        20200101000000Z 20210101000000Z
    sign "future-$kind" "leaf-$kind" places.googleapis.com leaf "inter-$kind" \
        20600101000000Z 20700101000000Z
    sign "unknown-$kind" "leaf-$kind" places.googleapis.com leaf "unknown-root-$kind"
    sign "self-$kind" "leaf-$kind" places.googleapis.com leaf self

    cd "$work"
    cat "leaf-$kind.pem" "inter-$kind.pem" >"chain-$kind.pem"
    cat "wrong-$kind.pem" "inter-$kind.pem" >"chain-$kind-wrong-host.pem"
    cat "expired-$kind.pem" "inter-$kind.pem" >"chain-$kind-expired.pem"
    cat "future-$kind.pem" "inter-$kind.pem" >"chain-$kind-not-yet-valid.pem"
    cat "unknown-$kind.pem" "unknown-root-$kind.pem" >"chain-$kind-unknown-ca.pem"
    cp "self-$kind.pem" "chain-$kind-self-signed.pem"
    cp "leaf-$kind.pem" "chain-$kind-cut-chain.pem"
    cd "$OLDPWD"
}

# The look of Google's: RSA-4096 root, RSA-2048 intermediate, ECDSA P-256 leaf. The long key takes
# seconds, so it is made beside the others.
rsa_key root-ec 4096 &
long_key=$!
rsa_key inter-ec 2048
ec_key leaf-ec
rsa_key root-rsa 2048
rsa_key inter-rsa 2048
rsa_key leaf-rsa 2048
rsa_key unknown-root 2048
wait "$long_key" || fail "no RSA-4096 key"
case $dir in /*) ;; *) dir=$PWD/$dir ;; esac
case $work in /*) ;; *) work=$PWD/$work; log=$work/log ;; esac
chains ec
chains rsa

for file in "$work"/root-ec.pem "$work"/root-rsa.pem "$work"/chain-*.pem; do
    chmod 0644 "$file"
done
chmod 0600 "$work"/leaf-ec.key "$work"/leaf-rsa.key
mv -f "$work"/root-ec.pem "$work"/root-rsa.pem "$work"/chain-*.pem \
    "$work"/leaf-ec.key "$work"/leaf-rsa.key "$dir/"
echo "$version" >"$dir/.version"

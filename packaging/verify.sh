#!/bin/sh
# Do these files match their SHA256SUMS? verify.sh [FOLDER]: the folder with SHA256SUMS and what was downloaded beside it.
# Files of the list that are not there are passed over; at least one must be there. A signed list is checked first, when gpg is.
set -eu
cd "${1:-.}"
[ -f SHA256SUMS ] || { echo "verify: there is no SHA256SUMS here" >&2; exit 2; }
if [ -f SHA256SUMS.asc ]; then
    command -v gpg >/dev/null || { echo "verify: SHA256SUMS is signed, but gpg is not installed" >&2; exit 2; }
    gpg --verify SHA256SUMS.asc SHA256SUMS || { echo "verify: the signature of SHA256SUMS does not hold; use nothing of this" >&2; exit 1; }
else
    echo "verify: SHA256SUMS is not signed: it proves that the download is whole, not who made it"
fi
sha256sum --check --strict --ignore-missing SHA256SUMS || { echo "verify: a file is not what it should be; do not install it" >&2; exit 1; }

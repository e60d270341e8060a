#!/bin/sh
# Installs ecs-local-endpoints. The checksums of the archives are in this file: what it fetches is unpacked and run only
# when it is what was released.
set -eu

version='@VERSION@'
base_url='@BASE_URL@'
checksums='@CHECKSUMS@'

usage() {
  cat <<END
Usage: install.sh [--dir DIR] [--libc glibc|musl] [--base-url URL] [--help]

Installs ecs-local-endpoints $version for this machine.

  --dir DIR        where to; /usr/local/bin where you may write there, else ~/.local/bin
  --libc NAME      glibc or musl, instead of the one that is found
  --base-url URL   another place that has the same archives
  --help           print this
END
}

fail() {
  echo "install.sh: $1" >&2
  [ $# -lt 2 ] || echo "hint: $2" >&2
  exit 1
}

fetch() {
  case $1 in
    file://*) cp -- "$(printf %s "${1#file://}" | sed 's/%20/ /g')" "$2" 2>/dev/null && return ;;
  esac
  if command -v curl >/dev/null; then
    # A line may be slow, but must not stand still.
    curl --fail --silent --show-error --location --retry 2 --connect-timeout 30 --speed-limit 1024 --speed-time 60 \
      --max-time 3600 --output "$2" -- "$1"
  elif command -v wget >/dev/null; then
    wget -q -T 60 -O "$2" -- "$1"
  else
    fail "neither curl nor wget is installed" "install one of them"
  fi
}

sha256_of() {
  if command -v sha256sum >/dev/null; then
    set -- "$(sha256sum <"$1")"
  elif command -v shasum >/dev/null; then
    set -- "$(shasum -a 256 <"$1")"
  elif command -v openssl >/dev/null; then
    set -- "$(openssl dgst -sha256 -r <"$1")"
  else
    fail "none of sha256sum, shasum and openssl is installed, and nothing is installed unverified" "install one of them"
  fi
  echo "${1%% *}"
}

libc_of_this_machine() {
  # Of both, glibc: a machine that has musl beside it keeps its own.
  if getconf GNU_LIBC_VERSION >/dev/null 2>&1; then
    echo glibc
  elif ls /lib/ld-musl-*.so.1 >/dev/null 2>&1; then
    echo musl
  else
    echo glibc
  fi
}

main() {
  dir='' libc=''
  while [ $# -gt 0 ]; do
    case $1 in
      --help | -h) usage && return ;;
      --dir | --libc | --base-url)
        [ -n "${2-}" ] || fail "$1 wants a value"
        case $1 in
          --dir) dir=$2 ;;
          --libc) libc=$2 ;;
          --base-url) base_url=$2 ;;
        esac
        shift 2
        ;;
      *) fail "'$1' is not known" "see --help" ;;
    esac
  done

  case $(uname -s) in
    Linux) os=linux needs="glibc 2.17, or musl 1.2.4 with libstdc++ (Alpine: apk add libstdc++): see --libc" ;;
    Darwin) os=darwin needs="macOS 13" ;;
    *) fail "there is no binary for $(uname -s)" "on Windows, run this in WSL" ;;
  esac
  case $(uname -m) in
    x86_64 | amd64) arch=x64 ;;
    aarch64 | arm64) arch=arm64 ;;
    *) fail "there is no binary for the processor $(uname -m)" ;;
  esac
  suffix=''
  if [ "$os" = linux ]; then
    case ${libc:=$(libc_of_this_machine)} in
      glibc) ;;
      musl) suffix=_musl ;;
      *) fail "--libc is '$libc', which is neither glibc nor musl" ;;
    esac
  fi
  name=ecs-local-endpoints_${version}_${os}_$arch$suffix
  expected=$(echo "$checksums" | sed -n "s/^\([0-9a-f]\{64\}\)  $name\.tar\.gz\$/\1/p")
  [ -n "$expected" ] || fail "$name.tar.gz is not in this release"

  if [ -z "$dir" ]; then
    dir=/usr/local/bin
    [ -w "$dir" ] || dir=${HOME:?}/.local/bin
  fi
  # `cd -` goes somewhere else.
  [ "$dir" != - ] || dir=./-
  elsewhere="name another folder by --dir, or run this as one who may write there"
  mkdir -p -- "$dir" || fail "the folder $dir cannot be made" "$elsewhere"
  dir=$(CDPATH='' cd -- "$dir" && pwd) || fail "the folder $dir cannot be entered" "$elsewhere"
  # A link to one as well: the program would come into it.
  [ ! -d "$dir/ecs-local-endpoints" ] || fail "$dir/ecs-local-endpoints is a folder" "remove it, or name another by --dir"
  # Beside its place, so that it comes there in one step.
  scratch=$(mktemp -d "$dir/.ecs-local-endpoints.XXXXXX") || fail "nothing can be written in $dir" "$elsewhere"
  trap 'rm -rf -- "$scratch"' EXIT
  trap 'exit 1' HUP INT TERM

  fetch "${base_url%/}/$name.tar.gz" "$scratch/archive.tar.gz" || fail "${base_url%/}/$name.tar.gz cannot be fetched"
  found=$(sha256_of "$scratch/archive.tar.gz") || exit 1
  [ "$found" = "$expected" ] ||
    fail "$name.tar.gz has the SHA-256 $found instead of $expected: nothing is installed" "fetch it again, and this script with it"
  (cd -- "$scratch" && tar -xzf archive.tar.gz) || fail "the archive cannot be unpacked in $dir" "see what tar said"
  binary=$scratch/$name/ecs-local-endpoints
  chmod 755 "$binary"
  said=$("$binary" --version 2>&1) ||
    fail "the program does not run on this machine: $said" "it needs $needs"
  mv -f -- "$binary" "$dir/ecs-local-endpoints"
  echo "$said"
  echo "installed as $dir/ecs-local-endpoints"
  case :$PATH: in
    *":$dir:"*) ;;
    *) echo "hint: $dir is not in your PATH" >&2 ;;
  esac
}

# In the last line, and in braces: of a script that was cut short, were it behind this name, nothing is run.
{ main "$@"; }

#!/bin/sh
# Makes .venv from requirements.lock, with the project itself in it. `make` runs this when the lock, pyproject.toml or
# this file has changed; .venv/.ready says that it came to its end. A .venv without that stamp is made anew.
#
# Needs Python 3.11 or newer. As root with apt, what is missing is installed; else a message says what would help.
# Uses uv where it is installed, plain pip otherwise. Which package index is asked is the machine's own setting.

set -eu

cd "$(dirname "$0")/.."
unset PYTHONHOME PYTHONPATH VIRTUAL_ENV
export PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1 DEBIAN_FRONTEND=noninteractive

venv=.venv
log=var/setup.log
mkdir -p var
: >"$log"

say() { printf 'set-up: %s\n' "$*"; }

fail() {
    printf 'set-up: %s\n' "$@" >&2
    exit 1
}

# Runs a command with its output in the log; whoever calls decides what a failure means.
quietly() { "$@" >>"$log" 2>&1 </dev/null; }

fail_with_log() {
    tail -n 20 "$log" >&2
    fail "$1" "the lines above are the end of $log"
}

has() { command -v "$1" >/dev/null 2>&1; }

works() { has "$1" && "$1" --version >/dev/null 2>&1; }

is_new_enough() { has "$1" && "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
    for python in python3.13 python3.12 python3.11 python3; do
        if is_new_enough "$python"; then return 0; fi
    done
    python=
    return 1
}

may_use_apt() { [ "$(id -u)" = 0 ] && has apt-get; }

# Debian and Ubuntu keep the module venv in a package of its own, which brings its Python along.
install_python() {
    may_use_apt || return 1
    say "installing a Python with the venv module (apt)"
    quietly apt-get update || true
    if [ -n "$python" ]; then
        wanted=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    else
        wanted="python3.13-venv python3.12-venv python3.11-venv"
    fi
    for package in $wanted python3-venv; do
        if quietly apt-get install --yes --no-install-recommends "$package" && find_python; then return 0; fi
    done
    return 1
}

can_make_venv() { [ -n "$python" ] && quietly "$python" -c 'import ensurepip, venv'; }

make_venv() {
    if can_make_venv; then
        quietly "$python" -m venv "$venv" && return 0
    elif works virtualenv && [ -n "$python" ]; then
        quietly virtualenv --python "$python" "$venv" && return 0
    elif works uv; then
        quietly uv venv --python "${python:->=3.11}" "$venv" && return 0
    elif install_python && can_make_venv; then
        quietly "$python" -m venv "$venv" && return 0
    fi
    return 1
}

explain_no_python() {
    fail "no Python 3.11 or newer is here that can make a virtual environment. Any one of these helps:" \
        "  1. Python 3.11 or newer with its venv module (Debian 12, Ubuntu 24.04: the package python3-venv;" \
        "     Ubuntu 22.04: python3.11-venv; macOS: \`brew install python\`)" \
        "  2. the tool uv, which brings a Python of its own" \
        "  3. as root on a system with apt: run the same command again, and it installs what is missing"
}

install() {
    if works uv; then
        quietly uv pip install --compile-bytecode --python "$venv/bin/python" "$@" && return 0
        say "uv could not install it; trying pip"
    fi
    quietly "$venv/bin/python" -m pip install --quiet "$@"
}

find_python || true
if [ -e "$venv/.ready" ] && is_new_enough "$venv/bin/python"; then
    say "bringing $venv up to date"
    rm "$venv/.ready"
else
    say "making $venv${python:+ with $("$python" --version 2>&1)}"
    rm -rf "$venv"
    make_venv || { [ -s "$log" ] && tail -n 5 "$log" >&2; explain_no_python; }
fi

say "installing the packages of requirements.lock"
install --require-hashes -r requirements.lock || fail_with_log "the packages could not be installed"
install --no-deps --no-build-isolation --editable . || fail_with_log "the project itself could not be installed"

touch "$venv/.ready"
say "ready"

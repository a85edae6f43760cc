# Finds, or installs, what builds and runs bare-metal Rust programs. Sourced by scripts (POSIX sh):
#
#   . examples/firmware/toolchain.sh
#   need_command qemu-system-arm qemu-system-arm    # COMMAND, and the Debian package that has it
#   need_target thumbv7em-none-eabihf               # chooses the toolchain
#   bare_cargo thumbv7em-none-eabihf build …        # runs cargo with it

say() {
    printf '%s\n' "$*" >&2
}

fail() {
    say "error: $*"
    exit 1
}

# install_debian PACKAGE…: whether they could be installed.
install_debian() {
    command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] || return 1
    say "installing $*"
    apt-get update -qq >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" >/dev/null
}

need_command() {
    command -v "$1" >/dev/null && return
    install_debian "$2" || fail "$1 is missing; Debian and Ubuntu have it in the package $2"
    command -v "$1" >/dev/null || fail "the package $2 has not brought $1"
}

# need_target TARGET: in this order the default toolchain as it is, the default toolchain with the target added by rustup, and
# Debian's compiler, which brings no bare-metal target but the sources of `core` to build one from.
need_target() {
    command -v cargo >/dev/null || fail "cargo is missing; install Rust 1.89 or newer"
    if find_target "$1"; then
        build_core=
    elif has_core_sources || { install_debian rustc-web rust-web-src lld && has_core_sources; }; then
        say "$1: with a core built by $(/usr/bin/rustc --version)"
        build_core=yes
    else
        fail "no Rust toolchain for $1. Any of these helps: 'rustup target add $1'; as root on Debian," \
            "'apt-get install rustc-web rust-web-src lld'"
    fi
}

# find_target TARGET: whether the default toolchain has it, or gets it from rustup.
find_target() {
    if has_target "$1"; then
        say "$1: installed for $(rustc --version)"
    elif [ -z "${rustup_cannot-}" ] && command -v rustup >/dev/null && rustup target add "$1" >&2 && has_target "$1"; then
        say "$1: added to $(rustc --version)"
    else
        rustup_cannot=yes # so that it is not asked again and again
        return 1
    fi
}

has_target() {
    [ -d "$(rustc --print sysroot)/lib/rustlib/$1/lib" ]
}

has_core_sources() {
    [ -x /usr/bin/rustc ] && [ -x /usr/bin/ld.lld ] && [ -d "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust/library/core" ]
}

# bare_cargo TARGET SUBCOMMAND …: cargo with the toolchain that need_target has chosen.
bare_cargo() (
    target=$1 subcommand=$2
    shift 2
    if [ -n "$build_core" ]; then
        # Building core takes an unstable option of cargo; the compiler is a released one all the same.
        export RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1
        set -- -Zbuild-std=core --config "target.$target.linker='ld.lld'" "$@"
    fi
    cargo "$subcommand" --target "$target" "$@"
)

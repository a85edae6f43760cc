# Finds, or installs, what builds and runs Rust programs for other CPUs. Sourced by scripts (POSIX sh):
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

wasi=wasm32-wasip1
wasi_libc=/usr/lib/wasm32-wasi

# need_wasi: chooses between the default toolchain and Debian's, with a standard library built from its sources.
need_wasi() {
    wasi_debian=
    if find_target $wasi; then return; fi
    wasi_debian=yes
    debian_has_wasi || { install_debian rustc-web rust-web-src lld wasi-libc && debian_has_wasi; } ||
        fail "no Rust toolchain for $wasi. Any of these helps: 'rustup target add $wasi'; as root on Debian," \
            "'apt-get install rustc-web rust-web-src lld wasi-libc'"
    say "$wasi: with a standard library built by $(/usr/bin/rustc --version)"
}

debian_has_wasi() {
    has_core_sources && [ -e $wasi_libc/crt1-command.o ]
}

# wasi_cargo SUBCOMMAND …: in the repository's root; programs run in Node.js. The limit is for what may hang.
wasi_cargo() (
    export CARGO_TARGET_WASM32_WASIP1_RUNNER='timeout 900 node --no-warnings tests/wasi.mjs'
    subcommand=$1
    shift
    if [ -n "$wasi_debian" ]; then
        # The standard library names functions for threads that Debian's older C library has not. Nothing starts a thread there;
        # a call of what is unresolved would end the program.
        found="-C link-self-contained=no -C link-arg=$wasi_libc/crt1-command.o -L native=$wasi_libc"
        export RUSTFLAGS="${RUSTFLAGS-} -C linker-flavor=wasm-ld $found -C link-arg=--unresolved-symbols=ignore-all"
        export RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1
        set -- -Zbuild-std=std,panic_abort --config "target.$wasi.linker='wasm-ld'" "$@"
    fi
    cargo "$subcommand" --target $wasi "$@"
)

aarch64=aarch64-unknown-linux-gnu

# need_aarch64: chooses between the default toolchain and Debian's, which has the standard library of other architectures.
need_aarch64() {
    aarch64_debian=
    if find_target $aarch64; then return; fi
    aarch64_debian=yes
    if ! debian_has_aarch64; then
        { command -v dpkg && dpkg --add-architecture arm64 && install_debian rustc-web libstd-rust-web-dev:arm64; } >/dev/null || :
        debian_has_aarch64 || fail "no Rust toolchain for $aarch64. Any of these helps: 'rustup target add $aarch64'; as root on" \
            "Debian, 'dpkg --add-architecture arm64 && apt-get update && apt-get install rustc-web libstd-rust-web-dev:arm64'"
    fi
    say "$aarch64: $(/usr/bin/rustc --version)"
}

debian_has_aarch64() {
    [ -x /usr/bin/rustc ] && [ -d "$(/usr/bin/rustc --print sysroot)/lib/rustlib/$aarch64/lib" ]
}

# Linked statically: a program that takes its libraries at run time may get a `libc6:arm64` of the system beside the cross
# compiler's loader, two builds that hang together. The limit is for whatever else may hang.
aarch64_cargo() (
    export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
    export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER='timeout 900 qemu-aarch64'
    export RUSTFLAGS="-C target-feature=+crt-static ${RUSTFLAGS-}" RUSTDOCFLAGS='-C target-feature=+crt-static'
    [ -z "$aarch64_debian" ] || export RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc
    subcommand=$1
    shift
    cargo "$subcommand" --target $aarch64 "$@"
)

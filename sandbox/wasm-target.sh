#!/usr/bin/env bash
# Stands before rustc (see .cargo/config.toml): `wasm-target.sh RUSTC ARGUMENTS…`. When a build begins, cargo asks rustc for its
# version; then this adds the WebAssembly target to the toolchain that builds, if it is missing, or ends the build with what to do.
# Every other call is rustc's alone. (bash, because dash drops variables with a dash in their name, such as CARGO_BIN_EXE_reward-search.)

target=wasm32-unknown-unknown
if [ "$2" = -vV ]; then
    sysroot=$("$1" --print sysroot) || exit
    if [ ! -d "$sysroot/lib/rustlib/$target/lib" ]; then
        toolchain=$(basename "$sysroot")
        add="rustup target add $target --toolchain $toolchain"
        if ! command -v rustup >/dev/null; then
            echo "error: the Rust toolchain in $sysroot cannot build WebAssembly (there is no $target in it), and there is no rustup to add it; install Rust from https://rustup.rs and run \`rustup target add $target\`" >&2
            exit 1
        elif ! $add >&2; then
            echo "error: the Rust toolchain in $sysroot cannot build WebAssembly, and the target could not be added; run \`$add\`" >&2
            exit 1
        fi
    fi
fi
exec "$@"

// wasi.mjs MODULE ARGUMENT…: runs a program for wasm32-wasip1 in this folder.
import { readFileSync } from 'node:fs';
import { WASI } from 'node:wasi';

const wasi = new WASI({
  version: 'preview1',
  args: process.argv.slice(2),
  // A panic ends the program before the test harness could show what it has captured.
  env: { ...process.env, RUST_TEST_NOCAPTURE: '1' },
  preopens: { '/': '.' },
  returnOnExit: true,
});
// `getImportObject` would need Node.js 19.
const imports = { wasi_snapshot_preview1: wasi.wasiImport };
const { instance } = await WebAssembly.instantiate(readFileSync(process.argv[2]), imports);
process.exitCode = wasi.start(instance);

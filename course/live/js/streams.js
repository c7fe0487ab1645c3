// The random streams of the course in the page: seeding.py, and torch's generator on a CPU.
// The same seed and purpose give the same normal numbers as in Python, to rounding.

const PRIMES = [...Array(320).keys()].filter((n) => n > 1 && ![...Array(n).keys()].some((d) => d > 1 && n % d === 0));
const fraction = (value) => ((value % 1) * 2 ** 32) | 0;

// SHA-256 of a text of less than 56 bytes: eight words of 32 bits, in the order of their bytes.
function digest(text) {
  const bytes = new Uint8Array(64);
  bytes.set(new TextEncoder().encode(text));
  bytes[text.length] = 0x80;
  const view = new DataView(bytes.buffer);
  view.setUint32(60, 8 * text.length);
  const words = Array.from({ length: 16 }, (_, k) => view.getUint32(4 * k) | 0);
  const turn = (word, by) => (word >>> by) | (word << (32 - by));
  for (let k = 16; k < 64; k++) {
    const [a, b] = [words[k - 15], words[k - 2]];
    const [low, high] = [turn(a, 7) ^ turn(a, 18) ^ (a >>> 3), turn(b, 17) ^ turn(b, 19) ^ (b >>> 10)];
    words[k] = (words[k - 16] + low + words[k - 7] + high) | 0;
  }
  const start = PRIMES.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)));
  let [a, b, c, d, e, f, g, h] = start;
  for (let k = 0; k < 64; k++) {
    const mixed = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25);
    const one = (h + mixed + ((e & f) ^ (~e & g)) + fraction(Math.cbrt(PRIMES[k])) + words[k]) | 0;
    const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [a, b, c, d, e, f, g, h] = [(one + two) | 0, a, b, c, (d + one) | 0, e, f, g];
  }
  [a, b, c, d, e, f, g, h].forEach((word, k) => view.setInt32(4 * k, start[k] + word));
  return Array.from({ length: 8 }, (_, k) => view.getUint32(4 * k, true)); // as numpy reads them
}

// The first word of numpy's SeedSequence(seed, spawn_key=words): O'Neill's seed_seq_fe (2015).
function seedFor(seed, words) {
  const entropy = [seed, 0, 0, 0, ...words];
  const fold = (value) => value ^ (value >>> 16);
  let constant = 0x43b0d7e5;
  const hash = (value) => {
    const mixed = value ^ constant;
    constant = Math.imul(constant, 0x931e8875);
    return fold(Math.imul(mixed, constant));
  };
  const mix = (x, y) => fold((Math.imul(0xca01f9dd, x) - Math.imul(0x4973f715, y)) | 0);
  const pool = entropy.slice(0, 4).map(hash);
  for (let from = 0; from < 4; from++) {
    for (let to = 0; to < 4; to++) if (from !== to) pool[to] = mix(pool[to], hash(pool[from]));
  }
  for (const word of entropy.slice(4)) {
    for (let to = 0; to < 4; to++) pool[to] = mix(pool[to], hash(word));
  }
  const [first, next] = [0x8b51f9dd, 0x58f38ded];
  return fold(Math.imul(pool[0] ^ first, Math.imul(first, next))) >>> 0;
}

// Matsumoto and Nishimura's Mersenne twister (1998), as torch draws float64 numbers from 0 to 1
// with it: fill(values, from) writes the next ones from a place of `values` on.
function twister(seed) {
  const state = new Int32Array(624);
  const words = new Int32Array(624); // of 32 bits; a number takes two
  state[0] = seed;
  for (let k = 1; k < 624; k++) {
    state[k] = Math.imul(1812433253, state[k - 1] ^ (state[k - 1] >>> 30)) + k;
  }
  let at = 624;
  function refill() {
    for (let k = 0; k < 624; k++) {
      const both = (state[k] & 0x80000000) | (state[k < 623 ? k + 1 : 0] & 0x7fffffff);
      state[k] = state[k < 227 ? k + 397 : k - 227] ^ (both >>> 1) ^ (both & 1 ? 0x9908b0df : 0);
      let word = state[k] ^ (state[k] >>> 11);
      word ^= (word << 7) & 0x9d2c5680;
      word ^= (word << 15) & 0xefc60000;
      words[k] = word ^ (word >>> 18);
    }
    at = 0;
  }
  return function fill(values, from) {
    for (let k = from; k < values.length; k++) {
      if (at === 624) refill();
      values[k] = ((words[at] & 0x1fffff) * 2 ** 32 + (words[at + 1] >>> 0)) / 2 ** 53;
      at += 2;
    }
  };
}

// seeding.generator(seed, purpose): each call gives what torch.randn(count) draws next, in float64,
// for a count of at least 16.
export function stream(seed, purpose) {
  const fill = twister(seedFor(seed, digest(purpose)));
  return (count) => {
    const values = new Float64Array(count);
    fill(values, 0);
    for (let block = 0; block + 16 <= count; block += 16) boxMuller(values, block);
    if (count % 16) {
      fill(values, count - 16); // torch draws the last ones anew
      boxMuller(values, count - 16);
    }
    return values;
  };
}

// The first `count` normal numbers of a stream.
export const normals = (seed, purpose, count) => stream(seed, purpose)(count);

// Sixteen uniform numbers, in place, to normal ones: Box and Muller (1958).
function boxMuller(values, start) {
  for (let k = start; k < start + 8; k++) {
    const radius = Math.sqrt(-2 * Math.log(1 - values[k]));
    const angle = 2 * Math.PI * values[k + 8];
    values[k] = radius * Math.cos(angle);
    values[k + 8] = radius * Math.sin(angle);
  }
}

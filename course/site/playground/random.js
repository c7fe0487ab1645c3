// Random numbers from named streams: the same seed and name give the same numbers everywhere.
// A layer has a stream of its own, so a deeper network starts with the layers of the shallower one.

export function stream(seed, name) {
  let [a, b, c, counter] = [1, 2, 3, 4].map((salt) => hash(`${salt} ${seed} ${name}`));
  let spare = null;

  // Doty-Humphrey's sfc32, from PractRand: a whole number from 0 to 2^32 - 1.
  function whole() {
    const sum = (a + b + counter++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return sum >>> 0;
  }

  // Between 0 and 1, neither included.
  function uniform() {
    return (whole() + 0.5) / 2 ** 32;
  }

  // Mean 0, variance 1: Box and Muller (1958) make two at a time.
  function normal() {
    if (spare !== null) {
      const kept = spare;
      spare = null;
      return kept;
    }
    const radius = Math.sqrt(-2 * Math.log(uniform()));
    const angle = 2 * Math.PI * uniform();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  // The numbers 0 to count - 1 in random order: Fisher and Yates.
  function permutation(count) {
    const order = Array.from({ length: count }, (_, k) => k);
    for (let last = count - 1; last > 0; last--) {
      const other = Math.floor(uniform() * (last + 1));
      [order[last], order[other]] = [order[other], order[last]];
    }
    return order;
  }

  for (let k = 0; k < 12; k++) whole(); // mixes the four words of the hash
  return { uniform, normal, permutation };
}

// FNV-1a: a whole number of 32 bits from a text.
function hash(text) {
  let value = 0x811c9dc5;
  for (const letter of text) value = Math.imul(value ^ letter.codePointAt(0), 0x01000193);
  return value >>> 0;
}

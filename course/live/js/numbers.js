// Numbers in words as words.py and Python's formats write them.

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

// The nearest whole number; the even one of two that are as near.
export function wholeNear(value) {
  const low = Math.floor(value);
  const rest = value - low;
  return rest < 0.5 || (rest === 0.5 && low % 2 === 0) ? low : low + 1;
}

// A finite number other than 0 to so many digits: [its leading digits as text, its exponent].
// What lies exactly between two, as 10.25 does, goes to the even digit, and not up as in toFixed.
export function leading(value, digits) {
  const [exact, size] = Math.abs(value).toExponential(100).split("e");
  const all = exact.replace(".", "");
  let [start, exponent] = Math.abs(value).toExponential(digits - 1).split("e");
  if (/^50*$/.test(all.slice(digits)) && Number(all[digits - 1]) % 2 === 0) {
    start = digits === 1 ? all[0] : `${all[0]}.${all.slice(1, digits)}`;
    exponent = size;
  }
  return [value < 0 ? `-${start}` : start, Number(exponent)];
}

const stripped = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);

// As one reads and types it: 100 and 0.01, and 1e-6, for 0.000001 has no room.
export const typed = (value) =>
  value && Math.abs(value) < 1e-3 ? value.toExponential() : String(value);

// f"{value:.{digits}g}"
export function general(value, digits) {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value < 0 ? "-inf" : "inf";
  if (value === 0) return "0";
  const [start, exponent] = leading(value, digits);
  if (exponent >= -4 && exponent < digits) {
    return stripped(Number(`${start}e${exponent}`).toFixed(Math.max(digits - 1 - exponent, 0)));
  }
  const size = String(Math.abs(exponent)).padStart(2, "0");
  return `${stripped(start)}e${exponent < 0 ? "-" : "+"}${size}`;
}

// f"{value:.{digits}f}"
export function fixed(value, digits) {
  const exact = Math.abs(value).toFixed(100);
  const end = exact.indexOf(".") + 1 + digits;
  const kept = exact.slice(0, end).replace(/\.$/, "");
  const half = /^50*$/.test(exact.slice(end)) && Number(kept.at(-1)) % 2 === 0;
  const text = half ? kept : Math.abs(value).toFixed(digits);
  return value < 0 ? `-${text}` : text;
}

// "0.12", "5,300", "1.2 × 10⁻⁷", "not finite"; zero: what is written for 0.
export function number(value, digits = 2, zero = "0") {
  if (!Number.isFinite(value)) return "not finite";
  if (value === 0) return zero;
  const [start, exponent] = leading(value, digits);
  if (exponent <= -4 || exponent >= 6) return `${stripped(start)} × ${power(exponent)}`;
  const plain = Number(`${start}e${exponent}`).toFixed(Math.max(digits - 1 - exponent, 0));
  const [whole, part] = plain.split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return stripped(part === undefined ? grouped : `${grouped}.${part}`);
}

// "10⁻²⁴"
export function power(exponent) {
  const letters = fixed(exponent, 0).replace("-", "⁻");
  return `10${letters.replace(/\d/g, (digit) => SUPERSCRIPTS[digit])}`;
}

export const percent = (share) => `${wholeNear(100 * share)}%`;
export const count = (n, noun) => `${n} ${noun}${n === 1 ? "" : "s"}`;

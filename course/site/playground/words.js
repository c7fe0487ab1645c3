// Numbers and lists as people read them.

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

// "0.12", "5,300", "1.2 × 10⁻⁷", "not finite", "exactly 0".
export function number(value, digits = 2) {
  if (!Number.isFinite(value)) return "not finite";
  if (value === 0) return "exactly 0";
  const [leading, exponent] = value.toExponential(digits - 1).split("e");
  if (exponent <= -4 || exponent >= 6) return `${Number(leading)} × ${power(Number(exponent))}`;
  const rounded = Number(`${leading}e${exponent}`);
  return rounded.toLocaleString("en", { maximumFractionDigits: 12 });
}

// "10⁻⁷"
export function power(exponent) {
  const letters = String(Math.abs(exponent)).replace(/\d/g, (digit) => SUPERSCRIPTS[digit]);
  return `10${exponent < 0 ? "⁻" : ""}${letters}`;
}

// The middle one; not finite if half of them are not.
export function median(values) {
  const order = values.map((value) => (Number.isFinite(value) ? value : Infinity));
  order.sort((a, b) => a - b);
  return order[Math.floor((order.length - 1) / 2)];
}

export const percent = (share) => `${Math.round(100 * share)} %`;
export const count = (n, noun) => `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;

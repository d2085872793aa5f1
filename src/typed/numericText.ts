/** Numerics as text: the digits after the point are the scale (daml-lf spec, sections 3.1 and 3.3). */

const LEDGER_NUMERIC = /^([+-]?)(\d{1,38})(?:\.(\d{0,37}))?$/;

/**
 * The normal form of a numeric at a scale: exactly `scale` digits after a point, no leading zeros, no negative zero.
 * Accepts the Ledger API syntax. `undefined` when the text is no numeric, does not fit without loss, or has more than 38
 * digits.
 */
export function normalizeNumeric(text: string, scale: number): string | undefined {
  const match = LEDGER_NUMERIC.exec(text);
  if (match === null) return undefined;
  const integer = match[2].replace(/^0+/, '');
  const fraction = (match[3] ?? '').replace(/0+$/, '');
  if (fraction.length > scale || integer.length + scale > 38) return undefined;
  const sign = match[1] === '-' && (integer !== '' || fraction !== '') ? '-' : '';
  return `${sign}${integer === '' ? '0' : integer}.${fraction.padEnd(scale, '0')}`;
}

/** Digits after the point of a stored numeric. */
export function scaleOf(text: string): number {
  return text.length - text.indexOf('.') - 1;
}

/** Orders two stored numerics by value. */
export function compareNumerics(a: string, b: string): number {
  const scale = Math.max(scaleOf(a), scaleOf(b));
  const left = unscaled(a, scale);
  const right = unscaled(b, scale);
  return left < right ? -1 : left > right ? 1 : 0;
}

function unscaled(text: string, scale: number): bigint {
  const point = text.indexOf('.');
  return BigInt(text.slice(0, point) + text.slice(point + 1).padEnd(scale, '0'));
}

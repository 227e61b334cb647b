/**
 * Writes a finite number as exchanges do: plain digits, never exponent notation (0.00000012, not 1.2e-7),
 * and as short as `Number(text) === value` allows.
 */
export function plainDecimal(value: number): string {
  const text = String(value);
  const scientific = /^(-?)(\d+)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (scientific === null) return text;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = scientific;
  const digits = whole + fraction;
  const pointAt = whole.length + Number(exponent);
  // JavaScript turns to exponents only below 1e-6 and from 1e21 on, where the point is outside the digits.
  return pointAt <= 0 ? `${sign}0.${'0'.repeat(-pointAt)}${digits}` : sign + digits.padEnd(pointAt, '0');
}

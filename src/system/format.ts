/** @file Numbers, sizes and durations as a person reads them. */

/** Digits before the point grouped by commas: `12,345`. */
export const formatCount = (value: number): string => Math.round(value).toLocaleString('en-US', { useGrouping: true });

/**
 * A number with `digits` significant digits, trailing zeros kept so that columns line up: `0.500`, `12.3`, `1,235`, `1.20e-5`.
 * Digits before the point are never dropped.
 */
export function formatNumber(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? 'inf' : '-inf';
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e15)) return value.toExponential(digits - 1);
  if (size >= 10 ** (digits - 1) && Math.round(size) >= 10 ** digits) return formatCount(value);
  const text = value.toPrecision(digits);
  return text.includes('e') ? formatCount(value) : text;
}

const SIZES = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Bytes in powers of 1000: `999 B`, `12.3 MB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 999.95 would print as 1000.0.
  while (unit < SIZES.length - 1 && Math.abs(value) >= (unit === 0 ? 999.5 : 999.95)) {
    value /= 1000;
    unit++;
  }
  return `${value.toFixed(unit === 0 ? 0 : 1)} ${SIZES[unit]}`;
}

/** Seconds as the two largest units: `350 ms`, `4.2 s`, `42 s`, `1 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return '?';
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const pair = (total: number, per: number, large: string, small: string) =>
    total % per ? `${Math.floor(total / per)} ${large} ${total % per} ${small}` : `${total / per} ${large}`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return pair(whole, 60, 'min', 's');
  const minutes = Math.round(seconds / 60);
  if (minutes < 1440) return pair(minutes, 60, 'h', 'min');
  return pair(Math.round(seconds / 3600), 24, 'd', 'h');
}

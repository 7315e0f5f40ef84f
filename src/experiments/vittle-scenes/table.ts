/** @file Numbers as the experiment's report writes them. */
import type { Estimate } from '../../tensor/statistics/bootstrap.ts';

/** Three digits without the leading zero; a dash for NaN. @param signed with a plus */
export const digits = (value: number, signed = false): string => {
  if (Number.isNaN(value)) return '–';
  const text = Math.abs(value).toFixed(3).replace(/^0/, '');
  return `${value < 0 && Number(text) !== 0 ? '−' : signed ? '+' : ''}${text}`;
};

/** `[low, high]` */
export const interval = ({ low, high }: Pick<Estimate, 'low' | 'high'>, signed = false): string =>
  `[${digits(low, signed)}, ${digits(high, signed)}]`;

/** A p-value. */
export const pValue = (value: number): string => (value < 0.001 ? '< .001' : digits(value));

/** @file How long something takes, in words. */
import type { CostInfo } from '../../facts.ts';

/** `about 12 s`, `roughly 3 min`; that nothing is known. */
export function lasting({ seconds, basis }: Pick<CostInfo, 'seconds' | 'basis'>): string {
  if (seconds === undefined) return 'how long is not known yet';
  const about = basis === 'guessed' ? 'roughly' : 'about';
  return `${about} ${seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`}`;
}

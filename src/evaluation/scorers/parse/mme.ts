/** @file Yes or no as MME's `calculation.py` reads it. */

/** What the first four characters say; yes goes before no. */
export function parsePrefix(answer: string): 'yes' | 'no' | null {
  const prefix = [...answer.slice(0, 8)].slice(0, 4).join('');
  return prefix.includes('yes') ? 'yes' : prefix.includes('no') ? 'no' : null;
}

/**
 * `yes` or `no` within the first four characters, in any case, white space not taken away: `eyes` is yes, `know` is no, `  yes` and `y` are
 * neither.
 */
export const parseMme = (answer: string): 'yes' | 'no' | null => parsePrefix(answer.toLowerCase());

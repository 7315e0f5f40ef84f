/**
 * @file Shapes with named dimensions. A dimension is a number or a name (`batch`, `seq`); products and sums of names are names too
 * (`batch*seq`, `seq+64`), written in one canonical way so that equal dimensions are equal strings.
 */

/** A size known when tracing, or a name whose size is known when running. */
export type Dim = number | string;
export type Shape = readonly Dim[];

const atom = (dim: string): string => (dim.includes('+') && !dim.startsWith('(') ? `(${dim})` : dim);

/** Splits `6*batch*seq` into 6 and [batch, seq]. */
function factors(dim: Dim): [number, string[]] {
  if (typeof dim === 'number') return [dim, []];
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i <= dim.length; i++) {
    if (dim[i] === '(') depth++;
    if (dim[i] === ')') depth--;
    if (i === dim.length || (dim[i] === '*' && depth === 0)) {
      parts.push(dim.slice(from, i));
      from = i + 1;
    }
  }
  const numeric = parts.filter(p => /^\d+$/.test(p));
  return [numeric.reduce((a, p) => a * Number(p), 1), parts.filter(p => !/^\d+$/.test(p))];
}

/** Product of dimensions. */
export function mulDims(dims: Shape): Dim {
  let count = 1;
  const names: string[] = [];
  for (const dim of dims) {
    const [n, f] = factors(typeof dim === 'string' ? atom(dim) : dim);
    count *= n;
    names.push(...f);
  }
  if (names.length === 0 || count === 0) return count;
  names.sort();
  return (count === 1 ? names : [String(count), ...names]).join('*');
}

/** Sum of dimensions, for concatenation and padding. */
export function addDims(dims: Shape): Dim {
  let count = 0;
  const names: string[] = [];
  for (const dim of dims) {
    if (typeof dim === 'number') count += dim;
    else
      for (const term of splitTerms(dim)) {
        if (/^-?\d+$/.test(term)) count += Number(term);
        else names.push(term);
      }
  }
  if (names.length === 0) return count;
  names.sort();
  return (count === 0 ? names : [...names, String(count)]).join('+');
}

function splitTerms(dim: string): string[] {
  const terms: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i <= dim.length; i++) {
    if (dim[i] === '(') depth++;
    if (dim[i] === ')') depth--;
    if (i === dim.length || (dim[i] === '+' && depth === 0)) {
      terms.push(dim.slice(from, i));
      from = i + 1;
    }
  }
  return terms;
}

/** `[2, batch, 64]` as text. */
export const showShape = (shape: Shape): string => `[${shape.join(', ')}]`;

/** Whether two shapes are the same, names included. */
export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((d, i) => d === b[i]);

/** Shape of an elementwise result under NumPy's broadcasting. @returns undefined where the shapes do not broadcast. */
export function broadcastShapes(a: Shape, b: Shape): Dim[] | undefined {
  const rank = Math.max(a.length, b.length);
  const out: Dim[] = [];
  for (let i = 0; i < rank; i++) {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) return undefined;
    out.push(x === 1 ? y : x);
  }
  return out;
}

/** Axis counted from the front. @throws RangeError when out of range. */
export function normaliseAxis(axis: number, rank: number): number {
  const at = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || at < 0 || at >= rank) throw new RangeError(`axis ${axis} is out of range for a value of rank ${rank}.`);
  return at;
}

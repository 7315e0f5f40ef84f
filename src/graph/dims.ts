/**
 * @file Shapes with named dimensions. A dimension is a number or a name (`batch`, `seq`); products and sums of names are names too
 * (`batch*seq`, `seq+64`), written in one canonical way so that equal dimensions are equal strings.
 */

/** A size known when tracing, or a name whose size is known when running. */
export type Dim = number | string;
/** A shape: one entry per axis. */
export type Shape = readonly Dim[];

/** A dimension as a polynomial: coefficient of each product of names; the product of none (a plain number) is ''. */
export type DimTerms = ReadonlyMap<string, number>;

/**
 * Takes a dimension apart: `2*batch*seq+batch+-1` gives {batch*seq: 2, batch: 1, '': -1}. Parentheses are multiplied out.
 * @throws RangeError when the text is not made of names, whole numbers, `*`, `+` and parentheses.
 */
export function dimTerms(dim: Dim): DimTerms {
  if (typeof dim === 'number') return new Map([['', dim]]);
  const tokens = dim.match(/[A-Za-z_][\w.-]*|-?\d+|[()*+]/g) ?? [];
  if (tokens.join('') !== dim) throw new RangeError(`"${dim}" is not the name of a dimension: use letters, digits, "_", "*" and "+".`);
  let at = 0;
  const sum = (): Map<string, number> => {
    const total = new Map<string, number>();
    do for (const [names, count] of product()) total.set(names, (total.get(names) ?? 0) + count);
    while (tokens[at] === '+' && ++at);
    return total;
  };
  const product = (): DimTerms => {
    let all = factor();
    while (tokens[at] === '*' && ++at) all = multiply(all, factor());
    return all;
  };
  const factor = (): DimTerms => {
    const token = tokens[at++];
    if (token === '(') {
      const inner = sum();
      if (tokens[at++] === ')') return inner;
    } else if (token !== undefined && /^-?\d/.test(token)) return new Map([['', Number(token)]]);
    else if (token !== undefined && /^[A-Za-z_]/.test(token)) return new Map([[token, 1]]);
    throw new RangeError(`"${dim}" is not the name of a dimension.`);
  };
  const terms = sum();
  if (at < tokens.length) throw new RangeError(`"${dim}" is not the name of a dimension.`);
  return terms;
}

function multiply(a: DimTerms, b: DimTerms): DimTerms {
  const out = new Map<string, number>();
  for (const [x, n] of a)
    for (const [y, m] of b) {
      const names = [...(x ? x.split('*') : []), ...(y ? y.split('*') : [])].sort().join('*');
      out.set(names, (out.get(names) ?? 0) + n * m);
    }
  return out;
}

/** The canonical text of a polynomial: products in alphabetic order, the plain number last; a number where no name is left. */
function show(terms: DimTerms): Dim {
  const named = [...terms].filter(([names, count]) => names && count !== 0).sort(([a], [b]) => (a < b ? -1 : 1));
  const rest = terms.get('') ?? 0;
  if (named.length === 0) return rest;
  const parts = named.map(([names, count]) => (count === 1 ? names : `${count}*${names}`));
  return (rest === 0 ? parts : [...parts, String(rest)]).join('+');
}

/** A dimension in its canonical spelling (`seq*batch` becomes `batch*seq`). @throws RangeError for text that names no dimension. */
export const canonicalDim = (dim: Dim): Dim => (typeof dim === 'number' ? dim : show(dimTerms(dim)));

/** Product of dimensions. */
export function mulDims(dims: Shape): Dim {
  if (dims.every(d => typeof d === 'number')) return (dims as number[]).reduce((a, b) => a * b, 1);
  return show(dims.map(dimTerms).reduce(multiply));
}

/** Sum of dimensions, for concatenation and padding. */
export function addDims(dims: Shape): Dim {
  const total = new Map<string, number>();
  for (const dim of dims) for (const [names, count] of dimTerms(dim)) total.set(names, (total.get(names) ?? 0) + count);
  return show(total);
}

/** A shape with every dimension in its canonical spelling. */
export const canonicalShape = (shape: Shape): Shape => (shape.some(d => typeof d === 'string') ? shape.map(canonicalDim) : shape);

/** Whether every size is known when tracing. */
export const isStatic = (shape: Shape): shape is readonly number[] => shape.every(d => typeof d === 'number');

/** `[2, batch, 64]` as text. */
export const showShape = (shape: Shape): string => `[${shape.join(', ').replaceAll('+-', '-')}]`;

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

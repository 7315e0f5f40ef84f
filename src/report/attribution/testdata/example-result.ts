/** @file Results with made-up maps for the pictures' tests: smooth bumps, no model behind them. */
import type { Attribution, Convergence, TokenScore, WordScore } from '../../../attribution/result.ts';

/** What to make up. */
export interface ExampleOptions {
  readonly caption: string;
  readonly width: number;
  readonly height: number;
  readonly grid?: readonly [number, number];
  /** Bumps: centre x, y and radius in 0–1 of the view, height in nats. */
  readonly bumps?: readonly (readonly [number, number, number, number])[];
  readonly values?: readonly number[];
  readonly unit?: 'nats' | 'score';
  readonly centreCrop?: boolean;
  readonly converged?: boolean;
  readonly modality?: 'image' | 'text' | 'both';
}

/** Words of a caption with punctuation apart. */
export function wordsOf(caption: string, values: readonly number[]): WordScore[] {
  return Array.from(caption.matchAll(/[\p{L}\p{N}\p{M}'’\u200d]+|\p{Extended_Pictographic}(?:\u200d\p{Extended_Pictographic}|\ufe0f)*|[^\s]/gu), (match, i) => ({
    text: match[0],
    start: match.index,
    end: match.index + match[0].length,
    value: values[i % values.length],
    tokens: [i + 1],
  }));
}

/** A result; the same options give the same result. */
export function exampleResult(options: ExampleOptions): Attribution {
  const { caption, width, height, grid = [7, 7], unit = 'nats', modality = 'both' } = options;
  const bumps = options.bumps ?? [[0.5, 0.5, 0.2, 0.8]];
  const [rows, columns] = grid;
  const patches = Float32Array.from({ length: rows * columns }, (_, i) => {
    const [y, x] = [(Math.floor(i / columns) + 0.5) / rows, ((i % columns) + 0.5) / columns];
    const ripple = 0.012 * (1 + Math.sin(i * 12.9898) * Math.cos(i * 4.1));
    return bumps.reduce((sum, [cx, cy, r, h]) => sum + h * Math.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * r * r)), unit === 'nats' ? ripple : 0);
  });
  const values = options.values ?? [0.02, 0.31, 0.05, 1.42, 0.11, 0.64, 0.9, 0.04];
  const words = wordsOf(caption, values);
  const special = (text: string, at: number): TokenScore => ({ id: 49406, text, special: true, start: at, end: at, value: 0.003 });
  const tokens = words.map(w => ({ id: 1000 + w.start, text: `${w.text}</w>`, special: false, start: w.start, end: w.end, value: w.value }));
  const crop = options.centreCrop ?? true;
  const side = Math.min(width, height);
  const curve = (from: number, to: number) => Array.from({ length: 10 }, (_, i) => to + (from - to) * Math.exp(-i / 2.5));
  const convergence: Convergence =
    options.converged === false
      ? { verdict: 'not-converged', note: 'The fit was still rising by 4 % a step after the last step; ask for more steps.', fit: curve(0.11, 0.29), compression: curve(0.4, 0.1) }
      : { verdict: 'converged', note: 'Fit and compression changed by less than 1 % over the last three steps.', fit: curve(0.11, 0.29), compression: curve(0.4, 0.1) };
  const bits = (list: ArrayLike<number>) => Array.from(list).reduce((a, b) => a + b, 0) * Math.LOG2E;
  return {
    schemaVersion: 1,
    method: 'm2ib',
    unit,
    caption,
    cosine: 0.2871,
    ...(modality === 'text'
      ? {}
      : {
          image: {
            tokens: Float32Array.from([0.05, ...patches]),
            prefixTokens: 1,
            grid,
            patches,
            view: crop ? { left: (width - side) / 2, top: (height - side) / 2, width: side, height: side } : { left: 0, top: 0, width, height },
            totalBits: bits(patches),
            convergence,
          },
        }),
    ...(modality === 'image'
      ? {}
      : {
          text: {
            tokens: [special('<|startoftext|>', 0), ...tokens, special('<|endoftext|>', caption.length)],
            words,
            totalBits: bits(words.map(w => w.value)),
            convergence,
          },
        }),
    parameters: { layer: 9, beta: 0.1, steps: 10, learningRate: 1, batchSize: 10, variance: 1, seed: 0 },
    provenance: {
      narrows: '0.1.0',
      runtime: 'onnxruntime-node 1.30.0',
      model: { name: 'clip-vit-base-patch32', sha256: '4f1c0d7a9b2e5f60718293a4b5c6d7e8f90123456789abcdef0123456789abcd' },
      image: { name: 'coffee.png', sha256: '0badc0ffee0ddf00d5eedbeefcafe123456789abcdef0123456789abcdef0123', width, height },
      createdAt: '2026-11-24T06:00:00.000Z',
    },
    timings: { load: 0.41, encode: 0.12, optimise: 0.83 },
  };
}

/** @file The op test table: every case of every family. */
import { binaryCases, constantCases, unaryCases } from './elementwise.cases.ts';
import { indexingCases, reductionCases, shapeCases } from './movement.cases.ts';
import type { OpCase } from './op-case.ts';
import { lossCases, matmulCases, normCases } from './products.cases.ts';
import { trainingCases } from './training.cases.ts';

/** Cases by family. */
export const families: Readonly<Record<string, readonly OpCase[]>> = {
  constants: constantCases,
  unary: unaryCases,
  binary: binaryCases,
  reductions: reductionCases,
  shapes: shapeCases,
  indexing: indexingCases,
  products: matmulCases,
  norms: normCases,
  losses: lossCases,
  training: trainingCases,
};

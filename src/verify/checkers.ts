/** @file The table of checkers, in the order of the computation. */
import type { Checker } from './checker.ts';
import { attributionAttentionChecker } from './checkers/attribution-attention.ts';
import { attributionGamesChecker } from './checkers/attribution-games.ts';
import { attributionGradientsChecker } from './checkers/attribution-gradients.ts';
import { attributionMetricsChecker } from './checkers/attribution-metrics.ts';
import { cosineGradientsChecker } from './checkers/cosine-gradients.ts';
import { forwardChecker } from './checkers/forward.ts';
import { m2ibChecker } from './checkers/m2ib.ts';
import { otherSizesChecker } from './checkers/other-sizes.ts';
import { trainingChecker } from './checkers/training.ts';

/** Every family of tensors that Narrows can verify. */
export const CHECKERS: readonly Checker[] = [
  forwardChecker,
  otherSizesChecker,
  cosineGradientsChecker,
  trainingChecker,
  m2ibChecker,
  attributionGradientsChecker,
  attributionAttentionChecker,
  attributionGamesChecker,
  attributionMetricsChecker,
];

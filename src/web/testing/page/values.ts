/** @file What tests compare of a result. */
import type { Attribution } from '../../../attribution/result.ts';

/** Values of both maps, as they stand in a result. */
export const valuesOf = (result: Attribution) => ({
  cosine: result.cosine,
  image: result.image && Array.from(result.image.tokens),
  text: result.text?.tokens.map(token => token.value),
  interactions: result.interactions && Array.from(result.interactions.values),
  fit: result.image?.convergence.fit,
  runtime: result.provenance.runtime,
  model: result.provenance.model.sha256,
  warnings: result.warnings ?? [],
});

/** @file Rows of a batch of token states that are asked for by their places. */
import { gather, mulDims, reshape, type Value } from '../graph/index.ts';

/** Some of the B·T tokens of [B, T, width], as [R, width]. @param places [R] int32, of token t in row b: b · T + t */
export function pickPlaces(of: Value, places: Value): Value {
  const [batch, tokens, width] = of.shape;
  return gather(reshape(of, [mulDims([batch, tokens]), width]), places);
}

/** @file Rows repeated side by side: side inputs of a batch whose rows stand for several samples each. */
import { type Dim, mulDims } from '../graph/dims.ts';
import { broadcastTo, reshape, unsqueeze, type Value } from '../graph/index.ts';

/** Repeats each row of [B, …] `times` times: [B·times, …], row b at b·times … b·times + times − 1. */
export function repeatRows(x: Value, times: Dim): Value {
  if (times === 1) return x;
  const [batch, ...rest] = x.shape;
  const wide = broadcastTo(unsqueeze(x, 1), [batch, times, ...rest]);
  return reshape(wide, [mulDims([batch, times]), ...rest]);
}

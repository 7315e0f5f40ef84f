/** @file A tower's head: linear layers with activations on pooled tokens. */
import { ACTIVATIONS, tanh, type Value } from '../../graph/index.ts';
import { project } from '../../nn/attention.ts';
import type { Parameters } from '../../nn/parameters.ts';
import type { HeadStep } from './spec.ts';

/** The scope and the last part of a name that may have dots. */
function below(p: Parameters, name: string): [Parameters, string] {
  const parts = name.split('.');
  const last = parts.pop() as string;
  return [parts.reduce((scope, part) => scope.in(part), p), last];
}

/** Any tokens [B, M, D] through the head -> [B, M, E]. @param p the model's parameters, not the tower's */
export function applyHead(p: Parameters, steps: readonly HeadStep[], tokens: Value): Value {
  return steps.reduce((x, { name, out, bias, activation }) => {
    const [scope, last] = below(p, name);
    const y = project(scope, last, x, out, bias);
    if (activation === undefined) return y;
    return activation === 'tanh' ? tanh(y) : ACTIVATIONS[activation](y);
  }, tokens);
}

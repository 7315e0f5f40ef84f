/**
 * @file Attention and attention gradients of chosen blocks: the primitive of every method that reads attention. A method says which blocks
 * it needs and, in the graph's language, how they make a map; compiling, memory, chunks of pairs and the record are done here.
 */

import { compile, grad, input, matmul, squeeze, sum, type Value } from '../../graph/index.ts';
import type { Tower, TowerTrace } from '../../models/dual-encoder.ts';
import { graphKey } from '../../models/graph-key.ts';
import type { BlockTrace } from '../../nn/encoder.ts';
import { type FloatTensor, floats } from '../../tensor/tensor.ts';
import { rowsThatFit } from '../memory.ts';
import { eachTower, type MethodMaps, type MethodRun, type TokenMap, type TowerJob } from '../method.ts';
import { chunks, inputRows, type Range, row, rows } from '../rows.ts';
import { targetFeeds, targetScore } from '../target.ts';

/** Attention probabilities [P, H, Q, N] (a pooling head has the one query) and the target's gradient with regard to them. */
export interface AttentionMap {
  readonly attention: Value;
  readonly gradient?: Value;
}

/** What a method's formula builds on: P pairs in one tower, from the input of its first block of interest. Declares its inputs when asked. */
export class AttentionGraph {
  /** Input of the first block of interest, [P, N, D]. */
  readonly hidden: Value;
  private oneHot: Value | undefined;
  private traced: TowerTrace | undefined;

  constructor(readonly job: TowerJob) {
    this.hidden = input('hidden', ['batch', this.tokens, job.tower.width]);
  }

  get tower(): Tower {
    return this.job.tower;
  }

  /** N: a number for images; named for texts, so that one graph serves all lengths. */
  get tokens(): number | string {
    return this.job.modality === 'text' ? 'seq' : this.job.tokens;
  }

  /** A named input of one value per token, [P, N]; its values come from the formula's `feeds`. */
  perToken(name: string): Value {
    return input(name, ['batch', this.tokens]);
  }

  /** The target of features [P, E], per pair: [P]. */
  score(features: Value): Value {
    return squeeze(targetScore(features, 1, this.job.target), 1);
  }

  /** Gradients of the sum over pairs; pairs do not touch each other, so each gets its own. */
  gradients(features: Value, wrt: readonly Value[]): Value[] {
    return grad(sum(this.score(features)), wrt);
  }

  /** Where the pooled token stands, [P, 1, N]: one at CLS or end of text, else zero. Only for towers that read one token. */
  pooled(): Value {
    this.oneHot ??= input('pooled', ['batch', 1, this.tokens]);
    return this.oneHot;
  }

  /** The pooled token's row of [P, N, M]: [P, 1, M]. */
  pooledRow(x: Value): Value {
    return matmul(this.pooled(), x);
  }

  /** Attention above the hidden state: the blocks' from first to last, and the pooling head's where there is one. */
  attentions(): { blocks: AttentionMap[]; pool?: AttentionMap };
  /** The same with gradients of the target. */
  attentions(gradients: true): { blocks: Required<AttentionMap>[]; pool?: Required<AttentionMap> };
  attentions(gradients = false): { blocks: AttentionMap[]; pool?: AttentionMap } {
    const { blocks, poolAttention } = this.trace();
    const all = [...blocks.map(b => b.attention), ...(poolAttention ? [poolAttention] : [])];
    const slopes = gradients ? this.gradients(this.features(), all) : [];
    const maps = all.map((attention, i) => ({ attention, ...(gradients ? { gradient: slopes[i] } : {}) }));
    return { blocks: maps.slice(0, blocks.length), pool: maps[blocks.length] };
  }

  /** Features [P, E], of which the last block's end runs for the pooled token only. */
  features(): Value {
    const { blocks, features } = this.trace();
    const last = blocks.at(-1);
    return last && this.tower.project ? this.pooledFeatures(last, last.context, blocks.at(-2)?.hidden ?? this.hidden) : features;
  }

  /** Features of towers that read one token, from the last block's context, whatever it is replaced by, and its input, both [P, N, D]. */
  pooledFeatures(last: BlockTrace, context: Value, input: Value): Value {
    return squeeze(this.tower.project!(last.finish(last.project(this.pooledRow(context)), this.pooledRow(input))), 1);
  }

  /** The blocks above the hidden state, with their inside. */
  trace(): TowerTrace {
    this.traced ??= this.tower.trace(this.job.layer, this.hidden, 1, this.job.inputs);
    return this.traced;
  }
}

/** A formula over attention. */
export interface AttentionFormula {
  /** Blocks that run forward and backward, for the record and for memory. */
  readonly forward: number;
  readonly backward: number;
  /** The map, [P, N]. */
  build(graph: AttentionGraph): Value;
  /** Further inputs that `build` declared, for some pairs. */
  feeds?(range: Range): Readonly<Record<string, FloatTensor>>;
}

/** Maps of the modalities that are wanted, each by the formula that the method has for that tower. */
export async function explainByAttention(run: MethodRun, formula: (job: TowerJob) => AttentionFormula): Promise<MethodMaps> {
  run.plan(run.wanted.reduce((sum, m) => sum + ranges(run, run[m], formula(run[m])).length, 0));
  return eachTower(run, job => mapsOf(run, job, formula(job)));
}

/** Pairs at a time. */
function ranges(run: MethodRun, job: TowerJob, { forward, backward }: AttentionFormula): Range[] {
  const blocks = Math.max(forward, backward);
  return chunks(job.hidden.shape[0], rowsThatFit(run.maxMemory, job.tower, job.tokens, blocks, backward > 0));
}

async function mapsOf(run: MethodRun, job: TowerJob, formula: AttentionFormula): Promise<TokenMap[]> {
  const { modality, tower, target } = job;
  const side = tower.suffixFeeds(job.inputs);
  const graph = await run.keep(graphKey('attention', job), () =>
    compile(run.model.runtime, { map: formula.build(new AttentionGraph(job)) }),
  );
  const pooled = pooledRows(job);
  const maps: TokenMap[] = [];
  for (const range of ranges(run, job, formula)) {
    run.signal?.throwIfAborted();
    const out = await graph.run({
      hidden: rows(job.hidden, range),
      ...inputRows(side, range),
      ...targetFeeds(target, range),
      ...(pooled ? { pooled: rows(pooled, range) } : {}),
      ...formula.feeds?.(range),
    });
    const map = out.map as FloatTensor;
    const count = range[1] - range[0];
    // Padding has gradients too (of attention that the mask keeps at zero), but it is no part of the pair.
    for (let p = 0; p < count; p++) maps.push({ tokens: Float32Array.from(row(map, p)).fill(0, job.lengths[range[0] + p]) });
    run.passes(modality, count, formula.forward, formula.backward);
    run.advance();
  }
  const empty = maps.filter(map => map.tokens.every(v => v === 0)).length;
  if (empty)
    run.warn(
      `${empty === maps.length ? 'The' : `${empty} of ${maps.length}`} ${modality} map${maps.length > 1 ? 's are' : ' is'} zero everywhere: this method keeps only evidence for the target, and there is none.`,
    );
  return maps;
}

/** One-hot rows of the pooled tokens, [P, 1, N]; none where a head pools. */
function pooledRows({ tower, inputs, hidden, readFrom }: TowerJob): FloatTensor | undefined {
  if (readFrom) return readFrom;
  const at = tower.pooledTokens?.(inputs);
  if (!at) return undefined;
  const tokens = hidden.shape[1];
  const data = new Float32Array(at.length * tokens);
  at.forEach((token, p) => {
    data[p * tokens + token] = 1;
  });
  return floats([at.length, 1, tokens], data);
}

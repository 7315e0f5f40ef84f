/**
 * @file AdaIB's weighting (ICLR 2026 submission NuYcnDYQuQ): maximise f · fit − g(f) · KL, where f is the inverse distance of the pair's unit
 * embeddings and g a small network 1–32–1 with ReLU, learned together with the gate. The paper leaves open how g is started and kept from going
 * to zero; here its output is positive by a softplus and starts near beta, so that a pair that matches badly (small f) is gated harder.
 */
import type { z } from 'zod';
import type { GateWeights } from '../../bottleneck/gate-problem.ts';
import { AdamW } from '../../optim/adamw.ts';
import { RandomStream } from '../../tensor/random.ts';
import { eachTower, type MethodEntry } from '../method.ts';
import { parseOptions } from '../options.ts';
import { explainByGate, GATE_COST, gateLayers, planGates } from '../primitives/gate.ts';
import type { Range } from '../rows.ts';
import { m2ibSchema, withSettle } from './m2ib.ts';

const schema = m2ibSchema.omit({ alpha: true, compat: true, normalisation: true });
type Options = z.infer<typeof schema>;

const HIDDEN = 32;
/** Learning rate of the network; the paper gives none. */
const RATE = 1e-3;
/** Pairs as close as this count as equally close: two unit vectors are never much nearer. */
const NEAREST = 0.1;

/** 1 / ‖u − w‖ of unit vectors with this cosine. */
export const inverseDistance = (cosine: number): number => 1 / Math.max(NEAREST, Math.sqrt(Math.max(0, 2 - 2 * cosine)));

/** g of one pair: softplus(w₂ · relu(w₁ f + b₁) + b₂), started at beta. Its gradient is by hand, as it is one number wide. */
export class CompressionNetwork {
  private readonly w1 = new Float32Array(HIDDEN);
  private readonly b1 = new Float32Array(HIDDEN);
  private readonly w2 = new Float32Array(HIDDEN);
  private readonly b2: Float32Array;
  private readonly adam: AdamW;

  constructor(
    private readonly f: number,
    beta: number,
    seed: number,
  ) {
    const reader = new RandomStream(seed, 'adaib.network').reader(0, 0);
    for (let i = 0; i < HIDDEN; i++) {
      this.w1[i] = 2 * reader.uniform() - 1;
      this.b1[i] = 2 * reader.uniform() - 1;
      this.w2[i] = (2 * reader.uniform() - 1) / Math.sqrt(HIDDEN);
    }
    // softplus⁻¹(beta) less what the network says at the start.
    this.b2 = Float32Array.of(Math.log(Math.expm1(Math.max(1e-6, beta))));
    this.b2[0] -= this.raw() - this.b2[0];
    const one = (name: string, data: Float32Array) => ({ name, shape: [data.length], data });
    this.adam = new AdamW([one('w1', this.w1), one('b1', this.b1), one('w2', this.w2), one('b2', this.b2)], { weightDecay: 0 });
  }

  private raw(): number {
    let sum = this.b2[0];
    for (let i = 0; i < HIDDEN; i++) sum += this.w2[i] * Math.max(0, this.w1[i] * this.f + this.b1[i]);
    return sum;
  }

  /** g(f), positive. */
  value(): number {
    const raw = this.raw();
    return raw > 20 ? raw : Math.log1p(Math.exp(raw));
  }

  /** A step of Adam on g · kl. @param kl mean KL of the pair */
  step(kl: number): void {
    const slope = kl / (1 + Math.exp(-this.raw()));
    const gradient = {
      w1: new Float32Array(HIDDEN),
      b1: new Float32Array(HIDDEN),
      w2: new Float32Array(HIDDEN),
      b2: Float32Array.of(slope),
    };
    for (let i = 0; i < HIDDEN; i++) {
      const inner = this.w1[i] * this.f + this.b1[i];
      gradient.w2[i] = slope * Math.max(0, inner);
      if (inner <= 0) continue;
      gradient.b1[i] = slope * this.w2[i];
      gradient.w1[i] = gradient.b1[i] * this.f;
    }
    this.adam.step(new Map(Object.entries(gradient)), RATE);
  }
}

/** AdaIB: M2IB whose two terms are weighed by the pair's own distance. */
export const adaib: MethodEntry<Options> = {
  name: 'adaib',
  title: 'AdaIB',
  family: 'bottleneck',
  serves: 'pair',
  modalities: ['image', 'text'],
  schema,
  parse: given => parseOptions(schema, withSettle(given, schema), 'adaib'),
  cost: GATE_COST,
  paper:
    'AdaIB: adaptive information bottleneck for multi-modal attribution, ICLR 2026 submission NuYcnDYQuQ (no code); started and kept positive as said in the file',
  unit: 'nats',
  signed: false,
  sampled: true,
  layers: gateLayers,
  async explain(run, options) {
    planGates(run, options);
    return eachTower(run, job => {
      const beta = job.modality === 'image' ? options.beta : options.textBeta;
      const settings = { ...options, beta, normalisation: 'sample', perToken: false, official: false } as const;
      const weights = ([from, to]: Range): GateWeights => {
        const distances = run.encoded.cosines.slice(from, to).map(inverseDistance);
        const networks = distances.map(f => new CompressionNetwork(f, beta, run.seed));
        return {
          fit: p => distances[p],
          compression: p => networks[p].value(),
          update: kl => kl.forEach((v, p) => void networks[p].step(v)),
        };
      };
      return explainByGate(run, job, settings, { weights, maxGradientNorm: 1 });
    });
  },
};

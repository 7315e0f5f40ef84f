/** @file Runs any method of the registry on pairs: encodes them, builds the targets, goes over seeds, and puts the record together. */
import { type GraphCache, GraphCachePool } from '../graph/index.ts';
import type { DualEncoder, Modality } from '../models/dual-encoder.ts';
import { rowBytes } from '../models/row-bytes.ts';
import { NarrowsError } from '../system/errors.ts';
import { version } from '../system/version.ts';
import { imageAttribution, textAttribution } from './assemble.ts';
import { encodeTargets } from './encode-target.ts';
import { type AttributeFrame, placedFrame } from './frames.ts';
import { MAX_MEMORY } from './memory.ts';
import { type MethodEntry, type MethodMaps, type MethodRun, methodOptions } from './method.ts';
import { encodePairs, imageProvenance, type Pair } from './pair.ts';
import { contentName } from './perturbation/feature-store.ts';
import type { PairAttribution } from './result.ts';
import { checkSeeds, gatherWarnings, RunCounter } from './run-frame.ts';
import type { TargetSpec } from './target.ts';
import { towerJob } from './tower-job.ts';

/** What a call may choose besides the method's options. */
export interface AttributeRun {
  readonly modality?: Modality | 'both';
  readonly seed?: number;
  /** Number of seeds: seed, seed + 1, …; the map is their mean. Methods that do not sample run once. */
  readonly seeds?: number;
  readonly imageSize?: number;
  /** What is explained; the cosine of image and caption by default. */
  readonly target?: TargetSpec;
  /** Bytes that intermediate values of one run may take; 512 MiB by default. */
  readonly maxMemory?: number;
  readonly signal?: AbortSignal;
  /** Units of work done, of all modalities, seeds and chunks of pairs. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly onWarning?: (message: string) => void;
  /** Maps of methods that optimise a gate, while they do: at most a fifth of the time goes into them, the last step's always comes. No result changes by it. */
  readonly onFrame?: (frame: AttributeFrame) => void;
}

/** A method on one model. Compiled graphs are kept until `release`. */
export class Attributor<O = Record<string, unknown>> implements AsyncDisposable {
  readonly options: O;
  private readonly graphs = new GraphCachePool();

  /**
   * @param given options that differ from the defaults; undefined ones are unset
   * @throws NarrowsError for an option that is unknown or out of range
   */
  constructor(
    readonly entry: MethodEntry<O>,
    readonly model: DualEncoder,
    given: Record<string, unknown> = {},
  ) {
    // An option that is there but undefined is unset: it must not hide a default.
    const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
    this.options = methodOptions(entry, set);
  }

  /** One pair. */
  async attribute(pair: Pair, run: AttributeRun = {}): Promise<PairAttribution> {
    return (await this.attributeAll([pair], run))[0];
  }

  /**
   * P pairs at once; each comes out as it would by itself.
   * @throws NarrowsError for bad input or a model that the method cannot serve, the signal's reason when aborted
   */
  async attributeAll(pairs: readonly Pair[], run: AttributeRun = {}): Promise<PairAttribution[]> {
    checkSeeds(run.seed ?? 0, run.seeds ?? 1);
    run.signal?.throwIfAborted();
    if (pairs.length === 0) return [];
    const groups = this.bySize(pairs, run.imageSize);
    const out = new Array<PairAttribution>(pairs.length);
    for (const group of groups) {
      const explain = (graphs: GraphCache) =>
        this.explainAll(
          group.map(p => pairs[p]),
          run,
          graphs,
        );
      const made = await this.graphs.use(String(run.imageSize ?? 'own'), explain, this.sessionBytes(run.imageSize));
      made.forEach((one, i) => {
        out[group[i]] = one;
      });
    }
    return out;
  }

  /** Places of pairs whose pictures become inputs of one size: rules that keep a picture's shape (NaFlex) give several. */
  private bySize(pairs: readonly Pair[], size?: number): number[][] {
    const groups = new Map<string, number[]>();
    pairs.forEach(({ image, pixelValues }, p) => {
      const key = String(pixelValues?.shape.slice(1) ?? this.model.processor.inputSize(image, { size }));
      groups.set(key, [...(groups.get(key) ?? []), p]);
    });
    return [...groups.values()];
  }

  /** Bytes that sessions for a size hold, about: a backward pass of one row. */
  private sessionBytes(size = this.model.processor.model?.size ?? 0): number {
    const { image } = this.model;
    const [rows, columns] = image.grid?.(size, size) ?? [0, 0];
    return rowBytes(image, image.prefixTokens + rows * columns, image.layers, true);
  }

  private async explainAll(pairs: readonly Pair[], run: AttributeRun, graphs: GraphCache): Promise<PairAttribution[]> {
    const { modality = 'both', seed = 0, seeds = 1 } = run;
    const { model, options, entry } = this;
    const wanted = this.wanted(modality);
    const layers = { image: -1, text: -1, ...entry.layers?.(model, options) };
    const started = performance.now();
    const { warn, warningsOf } = gatherWarnings(model.warnings, run.onWarning);
    const encoded = await encodePairs(model, pairs, layers, { imageSize: run.imageSize, maxMemory: run.maxMemory, onWarning: warn });
    const targets = await encodeTargets(model, encoded, run.target, { imageSize: run.imageSize, warn });
    const seconds: Record<string, number> = { encode: (performance.now() - started) / 1000 };
    const image = towerJob(model, encoded, 'image', layers.image, targets.image);
    const text = towerJob(model, encoded, 'text', layers.text, targets.text);
    const repeats = entry.sampled ? seeds : 1;
    const counter = new RunCounter(repeats, side => model[side].layers, run);
    const maps: MethodMaps[] = [];
    for (let s = 0; s < repeats; s++) {
      const work: MethodRun = {
        model,
        encoded,
        wanted,
        image,
        text,
        seed: seed + s,
        maxMemory: run.maxMemory ?? MAX_MEMORY,
        signal: run.signal,
        timings: seconds,
        keep: graphs.keep,
        // A further seed runs the same graphs.
        closeGraphs: model.keepSessions === false && s === repeats - 1 ? () => graphs.release() : undefined,
        ...counter.forSeed(s),
        warn,
        onFrame: run.onFrame && (frame => run.onFrame?.(placedFrame(encoded, frame, s))),
      };
      maps.push(await entry.explain(work, options));
      run.signal?.throwIfAborted();
    }
    const sha256 = await model.sha256();
    const nats = entry.unit === 'nats';
    // The layers that auto stood for, under the options' own names.
    const resolved = { layer: layers.image, textLayer: layers.text };
    const chosen = entry.layers ? Object.entries(resolved).filter(([name]) => name in entry.schema.shape) : [];
    const { image: _, imageName, ...texts } = run.target ?? {};
    const said = Object.entries({ ...texts, targetImage: imageName }).filter(([, value]) => value !== undefined);
    const used = { ...(options as object), ...Object.fromEntries([...chosen, ...said]) };
    const explained = wanted.includes('image') ? targets.image : targets.text;
    return pairs.map((pair, p) => ({
      schemaVersion: 1,
      method: entry.name,
      title: entry.title,
      unit: entry.unit,
      caption: pair.text,
      cosine: encoded.cosines[p],
      target: explained.description,
      targetKind: explained.kind,
      image:
        maps[0].image &&
        imageAttribution(encoded, p, {
          seed,
          nats,
          target: targets.image.description,
          score: image.scores[p],
          maps: maps.map(m => m.image![p]),
          size: image.size!,
        }),
      text:
        maps[0].text &&
        textAttribution(encoded, p, {
          seed,
          nats,
          target: targets.text.description,
          score: text.scores[p],
          maps: maps.map(m => m.text![p]),
        }),
      interactions: maps[0].interactions?.[p],
      passes: { forward: counter.passes.forward / pairs.length, backward: counter.passes.backward / pairs.length },
      parameters: {
        ...{ ...used, seed, seeds, modality, imageSize: run.imageSize ?? null },
        // The picture does not say what was explained then.
        ...(pair.pixelValues ? { pixelValues: `sha1:${contentName(pair.pixelValues)}` } : {}),
      },
      provenance: {
        narrows: version,
        runtime: `${model.runtime.name} ${model.runtime.version}`,
        model: { name: model.name, sha256 },
        image: imageProvenance(pair),
        createdAt: new Date().toISOString(),
      },
      ...warningsOf(p),
      timings: seconds,
    }));
  }

  /** Closes the compiled graphs. */
  release(): Promise<void> {
    return this.graphs.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  /** The modalities that the call asks for and the method has. @throws NarrowsError where none is left, or the model cannot be served */
  private wanted(modality: Modality | 'both'): Modality[] {
    const { entry, model, options } = this;
    const asked: readonly Modality[] = modality === 'both' ? ['image', 'text'] : [modality];
    const served = asked.filter(m => entry.modalities.includes(m));
    if (served.length === 0)
      throw new NarrowsError(`${entry.name} makes no map of the ${modality}; it serves the ${entry.modalities.join(' and ')}.`, {
        kind: 'usage',
      });
    const reasons = served.map(m => entry.unsupported?.(model, m, options));
    const possible = served.filter((_, i) => !reasons[i]);
    if (possible.length === 0) throw new NarrowsError(reasons.find(r => r)!);
    return possible;
  }
}

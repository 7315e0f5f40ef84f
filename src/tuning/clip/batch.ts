/** @file Training batches drawn from scenes. A batch is a function of (seed, step) only, which makes a resumed run bit-equal. */
import { caption, nameCaption } from '../../scenes/captions.ts';
import { CONCEPTS } from '../../scenes/concepts.ts';
import { patchOwners } from '../../scenes/patch-labels.ts';
import { drawScene, type Scene, sceneBuffers } from '../../scenes/scene.ts';
import type { SceneWorld } from '../../scenes/sprite-atlas.ts';
import { SPECIAL_TOKENS, VOCABULARY } from '../../scenes/vocabulary.ts';
import { RandomStream } from '../../tensor/random.ts';
import { floats, ints, type Tensor } from '../../tensor/tensor.ts';

/** What one training step is fed, by the names of the graph's inputs. */
export type Batch = Readonly<Record<string, Tensor>>;

/** Curriculum and shape of the scenes of a run. */
export interface SceneBatchSettings {
  readonly seed: number;
  readonly batchSize: number;
  readonly imageSize: number;
  readonly patchSize: number;
  readonly imageMean: readonly number[];
  readonly imageStd: readonly number[];
  /** Scenes grow from one object to `maxObjects`, one more every so many steps. */
  readonly curriculumSteps: number;
  readonly maxObjects: number;
  /** Names that a step's softmax is over: those in the batch and others at random (all concepts where ≥ their number). */
  readonly namesPerStep: number;
  /** How many patches are kept at a step: those that objects cover first, then background at random (all where ≥ the grid). */
  readonly keptPatches: readonly { readonly fromStep: number; readonly count: number }[];
  /** Concept indices to draw from; all by default. */
  readonly concepts?: readonly number[];
}

const wordIds = new Map<string, number>([...SPECIAL_TOKENS, ...VOCABULARY].map((word, id) => [word, id]));
const PAD = wordIds.get('<pad>')!;
const BOS = wordIds.get('<bos>')!;
const EOS = wordIds.get('<eos>')!;

/** Token ids of a caption of the built-in world; equal to what its tokenizer.json gives. @throws Error for a word it does not know. */
export function captionIds(text: string): number[] {
  const ids = text.split(' ').map(word => {
    const id = wordIds.get(word);
    if (id === undefined) throw new Error(`"${word}" is not in the scene vocabulary.`);
    return id;
  });
  return [BOS, ...ids, EOS];
}

/** Captions as padded ids [B, T], and the position of each end of text [B]. */
export function captionTensors(texts: readonly string[]): { ids: Tensor; eos: Tensor } {
  const rows = texts.map(captionIds);
  const length = Math.max(...rows.map(r => r.length));
  const ids = new Int32Array(rows.length * length).fill(PAD);
  for (const [i, row] of rows.entries()) ids.set(row, i * length);
  return {
    ids: ints([rows.length, length], ids),
    eos: ints(
      [rows.length],
      rows.map(r => r.length - 1),
    ),
  };
}

/** The names of all concepts as captions ("a dog"). */
export const nameTensors = (): { ids: Tensor; eos: Tensor } => captionTensors(CONCEPTS.map(c => nameCaption(c)));

/** How pixels become patches: sides of image and patch in pixels, and mean and deviation per channel, of values in 0–1. */
export interface PatchFormat {
  readonly imageSize: number;
  readonly patchSize: number;
  readonly imageMean: readonly number[];
  readonly imageStd: readonly number[];
}

/** Writes chosen patches of an RGB image (HWC bytes) as normalised floats [K, C·p·p] into `out` at `at`. */
export function writePatches(image: Uint8Array, format: PatchFormat, kept: ArrayLike<number>, out: Float32Array, at: number): void {
  const { imageSize: size, patchSize: patch, imageMean: mean, imageStd: std } = format;
  const columns = Math.floor(size / patch);
  for (let k = 0; k < kept.length; k++) {
    const top = Math.floor(kept[k] / columns) * patch;
    const left = (kept[k] % columns) * patch;
    for (let c = 0; c < 3; c++) {
      const scale = 1 / (255 * std[c]);
      const shift = mean[c] / std[c];
      for (let y = 0; y < patch; y++) {
        let from = ((top + y) * size + left) * 3 + c;
        for (let x = 0; x < patch; x++, from += 3) out[at++] = image[from] * scale - shift;
      }
    }
  }
}

/** Patches to keep: object patches first (at random where too many), then background at random; in reading order. */
function chooseKept(owners: Int16Array, covered: Uint8Array, count: number, shuffle: (n: number) => number[]): number[] {
  if (count >= owners.length) return [...owners.keys()];
  const order = shuffle(owners.length).sort((a, b) => rank(b) - rank(a));
  function rank(i: number): number {
    return owners[i] >= 0 ? 2 : covered[i];
  }
  return order.slice(0, count).sort((a, b) => a - b);
}

function coveredPatches(scene: Scene, patch: number): Uint8Array {
  const columns = Math.floor(scene.width / patch);
  const covered = new Uint8Array(columns * Math.floor(scene.height / patch));
  for (let y = 0; y < scene.height; y++)
    for (let x = 0; x < scene.width; x++)
      if (scene.owners[y * scene.width + x] >= 0) covered[Math.floor(y / patch) * columns + Math.floor(x / patch)] = 1;
  return covered;
}

/** Renumbers concepts to rows of the step's name table; fills it up with other concepts at random. */
function sampleNames(concepts: readonly Int32Array[], count: number, shuffle: (n: number) => number[]): number[] {
  const present = new Set<number>();
  for (const list of concepts) for (const c of list) if (c >= 0) present.add(c);
  const chosen = [...present];
  for (const c of shuffle(CONCEPTS.length)) if (chosen.length < count && !present.has(c)) chosen.push(c);
  const rows = new Map(chosen.map((c, row) => [c, row]));
  for (const list of concepts) for (let i = 0; i < list.length; i++) if (list[i] >= 0) list[i] = rows.get(list[i])!;
  return chosen;
}

/**
 * The batch of a step: patches [B, K, C·p·p], kept [B, K], owners [B, K] (row of the name table per patch,
 * -1 = none), names [B, maxObjects] (rows of the names in the scene, -1 = none), ids [B, T], eos [B], and the name table: nameIds, nameEos.
 */
export function sceneBatch(world: SceneWorld, settings: SceneBatchSettings, step: number): Batch {
  const { batchSize, imageSize, patchSize, maxObjects } = settings;
  const scenes = new RandomStream(settings.seed, 'scenes');
  const captions = new RandomStream(settings.seed, 'captions');
  const patches = new RandomStream(settings.seed, 'patches');
  const grid = Math.floor(imageSize / patchSize) ** 2;
  const count = Math.min(grid, settings.keptPatches.filter(k => k.fromStep <= step).at(-1)?.count ?? grid);
  const objects = Math.min(maxObjects, 1 + Math.floor(step / settings.curriculumSteps));
  const width = 3 * patchSize * patchSize;
  const pixels = new Float32Array(batchSize * count * width);
  const kept = new Int32Array(batchSize * count);
  const owners = new Int32Array(batchSize * count);
  const names = new Int32Array(batchSize * maxObjects).fill(-1);
  const texts: string[] = [];
  const buffers = sceneBuffers(imageSize, imageSize);
  for (let b = 0; b < batchSize; b++) {
    const scene = drawScene(
      world,
      { width: imageSize, height: imageSize, minObjects: 1, maxObjects: objects, concepts: settings.concepts },
      scenes.reader(step, b),
      buffers,
    );
    texts.push(caption(scene, captions.reader(step, b)));
    const labels = patchOwners(scene, patchSize);
    const reader = patches.reader(step, b);
    const chosen = chooseKept(labels, coveredPatches(scene, patchSize), count, n => reader.shuffle([...Array(n).keys()]));
    kept.set(chosen, b * count);
    chosen.forEach((at, k) => {
      owners[b * count + k] = labels[at];
    });
    scene.objects.forEach((o, k) => {
      names[b * maxObjects + k] = o.concept;
    });
    writePatches(scene.image.data, settings, chosen, pixels, b * count * width);
  }
  const nameReader = patches.reader(step, batchSize);
  const table = captionTensors(
    sampleNames([owners, names], settings.namesPerStep, n => nameReader.shuffle([...Array(n).keys()])).map(c => nameCaption(c)),
  );
  return {
    patches: floats([batchSize, count, width], pixels),
    kept: ints([batchSize, count], kept),
    owners: ints([batchSize, count], owners),
    names: ints([batchSize, maxObjects], names),
    ...captionTensors(texts),
    nameIds: table.ids,
    nameEos: table.eos,
  };
}

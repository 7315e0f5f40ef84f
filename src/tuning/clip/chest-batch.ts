/** @file Training batches drawn from phantom chests. A batch is a function of (seed, step) only. */
import { type Chest, chestBytes, drawChest } from '../../scenes/chest/chest.ts';
import { FINDINGS } from '../../scenes/chest/registry.ts';
import { PLACES, placeIndex, reportSentences, reportText, sentence } from '../../scenes/chest/report.ts';
import { RandomStream } from '../../tensor/random.ts';
import { floats, ints } from '../../tensor/tensor.ts';
import { type Batch, type PatchFormat, writePatches } from './batch.ts';
import { ChestTexts } from './chest-texts.ts';
import { captionGroups } from './pair-batch.ts';

/** Shape of the batches of a run. */
export interface ChestBatchSettings extends PatchFormat {
  readonly seed: number;
  readonly batchSize: number;
  /** Longest report in tokens. */
  readonly maxLength: number;
  readonly maxFindings: number;
  /** How many patches, at random, are kept at a step; all where ≥ the grid. */
  readonly keptPatches: readonly { readonly fromStep: number; readonly count: number }[];
}

/** Right names that a chest can have at most: findings, and those that are absent. */
export const MOST_NAMES = 5 + FINDINGS.length;

/** Grey levels as RGB, which is what the tower is fed. */
export function chestRgb(chest: Chest): Uint8Array {
  const grey = chestBytes(chest);
  const out = new Uint8Array(grey.length * 3);
  for (let i = 0; i < grey.length; i++) out.fill(grey[i], 3 * i, 3 * i + 3);
  return out;
}

/** The rows of the name table that are right for a chest, −1 where there are no more: findings at their places, then what is absent. */
export function rightNames({ findings }: Chest): number[] {
  const here = new Set(findings.map(f => f.name));
  const names = [...findings.map(placeIndex), ...FINDINGS.flatMap((f, i) => (here.has(f.name) ? [] : [PLACES.length + i]))];
  return Array.from({ length: MOST_NAMES }, (_, k) => names[k] ?? -1);
}

/** Share of a patch from which it belongs to a finding: a line covers little of those that it crosses. */
const COVERED = 0.05;

/** The row of the name table per patch, of the smallest finding that covers enough of it; −1 where none does. */
export function patchNames({ width, height, findings }: Chest, patch: number): Int32Array {
  const columns = Math.floor(width / patch);
  const rows = Math.floor(height / patch);
  const out = new Int32Array(columns * rows).fill(-1);
  const areas = findings.map(({ mask }) => mask.reduce((sum, v) => sum + v, 0));
  const order = [...findings.keys()].sort((a, b) => areas[b] - areas[a]);
  for (const k of order) {
    const counts = new Int32Array(columns * rows);
    findings[k].mask.forEach((v, i) => {
      const column = Math.floor((i % width) / patch);
      const row = Math.floor(i / width / patch);
      if (v && column < columns && row < rows) counts[row * columns + column]++;
    });
    const name = placeIndex(findings[k]);
    counts.forEach((n, i) => {
      if (n >= COVERED * patch * patch) out[i] = name;
    });
  }
  return out;
}

/** Draws the batches of a run. */
export class ChestBatches {
  private readonly texts: ChestTexts;
  private readonly chests: RandomStream;
  private readonly reports: RandomStream;
  private readonly patches: RandomStream;

  constructor(private readonly settings: ChestBatchSettings) {
    this.texts = new ChestTexts(settings.maxLength);
    [this.chests, this.reports, this.patches] = ['chests', 'reports', 'patches'].map(name => new RandomStream(settings.seed, name));
  }

  /**
   * The batch of a step: patches [B, K, 3·p·p], kept [B, K], owners [B, K] (row of the name table per patch, −1 = none), ids [B, T], eos [B], groups [B] (equal where reports are), names [B, MOST_NAMES],
   * and the name table nameIds, nameEos: every finding at every place, then the absence of each. The table says no sizes.
   */
  batch(step: number): Batch {
    const { batchSize, imageSize, patchSize, maxFindings, keptPatches } = this.settings;
    const grid = Math.floor(imageSize / patchSize) ** 2;
    const count = Math.min(grid, keptPatches.filter(k => k.fromStep <= step).at(-1)?.count ?? grid);
    const width = 3 * patchSize * patchSize;
    const pixels = new Float32Array(batchSize * count * width);
    const kept = new Int32Array(batchSize * count);
    const owners = new Int32Array(batchSize * count);
    const names = new Int32Array(batchSize * MOST_NAMES);
    const texts: string[] = [];
    for (let b = 0; b < batchSize; b++) {
      const chest = drawChest({ width: imageSize, height: imageSize, maxFindings }, this.chests.reader(step, b));
      texts.push(reportText(reportSentences(chest.findings, this.reports.reader(step, b))));
      const all = [...Array(grid).keys()];
      const labels = patchNames(chest, patchSize);
      // Patches with a finding stay: without them the report would be of another picture.
      const order = this.patches.reader(step, b).shuffle(all);
      const chosen = order
        .sort((a, c) => (labels[c] >= 0 ? 1 : 0) - (labels[a] >= 0 ? 1 : 0))
        .slice(0, count)
        .sort((a, c) => a - c);
      chosen.forEach((at, k) => {
        owners[b * count + k] = labels[at];
      });
      kept.set(chosen, b * count);
      names.set(rightNames(chest), b * MOST_NAMES);
      writePatches(chestRgb(chest), this.settings, chosen, pixels, b * count * width);
    }
    const reader = this.reports.reader(step, batchSize);
    const table = this.texts.tensors([
      ...PLACES.map(({ finding, place }) => sentence(reader.pick(finding.sentences), place)),
      ...FINDINGS.map(finding => reader.pick(finding.absent)),
    ]);
    return {
      patches: floats([batchSize, count, width], pixels),
      kept: ints([batchSize, count], kept),
      owners: ints([batchSize, count], owners),
      names: ints([batchSize, MOST_NAMES], names),
      ...this.texts.tensors(texts),
      groups: ints([batchSize], captionGroups(texts)),
      nameIds: table.ids,
      nameEos: table.eos,
    };
  }
}

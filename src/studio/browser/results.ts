/** @file Results that the page keeps: for boxes, exports, and so that a setting that was seen comes back at once. */
import type { Attribution } from '../../attribution/result.ts';
import { type FrameEvent, StudioError } from '../protocol.ts';
import type { AttributeRequest, MethodChoice } from '../requests.ts';

/** Most results that are kept; maps are small, but interactions are not. */
const MOST = 200;

/** A finished map. */
export interface KeptResult {
  readonly attribution: Attribution;
  /** Of the picture, see `PictureInfo.id`. */
  readonly picture: string;
  /** Of the request; empty where it is not to be found again. */
  readonly key: string;
  /** The program that gives it again. */
  readonly typescript: string;
  /** How it came about, of methods that optimise and where frames were asked for. */
  readonly frames: readonly FrameEvent[];
}

/** Results by their ids, the least recently made ones leave first. */
export class Results {
  private readonly kept = new Map<string, KeptResult>();
  private last = 0;

  /** What a result depends on. */
  key(
    { model, picture, text, modality, seed, seeds, imageSize, target, answer }: AttributeRequest,
    { name, options }: MethodChoice,
  ): string {
    const sorted = Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1));
    return JSON.stringify([model, picture, text, modality, seed, seeds, imageSize, target, answer, name, sorted]);
  }

  add(result: KeptResult): string {
    this.last += 1;
    const id = `result-${this.last}`;
    this.kept.set(id, result);
    if (this.kept.size > MOST) this.kept.delete(this.kept.keys().next().value as string);
    return id;
  }

  find(key: string): (KeptResult & { readonly id: string }) | undefined {
    if (key === '') return undefined;
    for (const [id, result] of this.kept) if (result.key === key) return { ...result, id };
    return undefined;
  }

  /** @throws StudioError `missing` */
  get(id: string): KeptResult {
    const found = this.kept.get(id);
    if (!found) throw new StudioError('missing', 'This page does not have the result any more; explain the picture again.');
    return found;
  }
}

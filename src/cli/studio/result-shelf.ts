/** @file Results that the studio keeps: the same question again comes at once, exports and boxes go by the result's id. Old ones give way. */
import { createHash } from 'node:crypto';
import type { Attribution } from '../../attribution/result.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { figureSvg, reportHtml } from '../../report/attribution/bound.ts';
import { attributionToJson } from '../../report/attribution/json.ts';
import { figurePng } from '../../report/attribution/raster.ts';
import { type FrameEvent, StudioError } from '../../studio/protocol.ts';
import type { ExportRequest } from '../../studio/requests.ts';
import { exactJson } from '../../system/exact-json.ts';

/** Results that are kept. */
const KEPT = 200;

/** A result with the picture that its map lies on. */
export interface ShelvedResult {
  readonly attribution: Attribution;
  readonly image: RgbImage;
  /** As the page has it: its map lies on the picture that the page shows. */
  readonly shown: Attribution;
  /** How it came about, of methods that optimise and where frames were asked for. */
  readonly frames: readonly FrameEvent[];
  readonly command: string;
  readonly typescript: string;
}

/** A name from everything that determines a result. */
export const resultId = (parts: unknown): string => createHash('sha256').update(exactJson(parts)).digest('hex').slice(0, 32);

const TYPES = { png: 'image/png', svg: 'image/svg+xml', html: 'text/html', json: 'application/json' } as const;

/** The shelf. */
export class ResultShelf {
  private readonly results = new Map<string, ShelvedResult>();

  has(id: string): boolean {
    return this.results.has(id);
  }

  /** Keeps a result. */
  keep(id: string, result: ShelvedResult): void {
    this.results.delete(id);
    this.results.set(id, result);
    for (const old of this.results.keys()) {
      if (this.results.size <= KEPT) break;
      this.results.delete(old);
    }
  }

  /** @throws StudioError `missing` */
  get(id: string): ShelvedResult {
    const result = this.results.get(id);
    if (!result) throw new StudioError('missing', 'The studio does not have this result any more; run the method again.');
    this.keep(id, result);
    return result;
  }

  /** A result as a file. @throws NarrowsError for a unit, a colour map or a scale that does not fit */
  async export({ result, format, ...view }: ExportRequest): Promise<{ readonly type: string; readonly bytes: Uint8Array }> {
    const { attribution, image, command } = this.get(result);
    const figure = { ...view, unit: attribution.unit === 'nats' ? view.unit : undefined };
    const type = TYPES[format];
    const text = (content: string) => ({ type, bytes: new TextEncoder().encode(content) });
    if (format === 'png') return { type, bytes: await figurePng(attribution, image, figure) };
    if (format === 'svg') return text(await figureSvg(attribution, image, figure));
    if (format === 'html') return text(await reportHtml([{ result: attribution, image, command }], { unit: figure.unit }));
    return text(`${attributionToJson(attribution)}\n`);
  }
}

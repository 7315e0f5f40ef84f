/** @file A piece of an audit's work: what computes a finding, in this thread or in a worker. */
import { createMethod, findMethod } from '../../attribution/registry.ts';
import type { ImageReadOptions } from '../../inputs/image/image-reading.ts';
import type { ServedWork } from '../../jobs/thread-worker.ts';
import type { DualEncoder } from '../../models/dual-encoder.ts';
import { messageOf, NarrowsError } from '../../system/errors.ts';
import { loadModel } from '../compare/engine/load-model.ts';
import type { AuditItem } from './items.ts';
import { type AuditTools, measureItem } from './measure.ts';
import type { AuditRecord } from './record.ts';

/** A finding with the key of its cell. */
export interface AuditPiece {
  readonly item: AuditItem;
  readonly key: string;
}

/** What findings are measured with, as plain data. */
export interface AuditPlace {
  readonly method: string;
  readonly seed: number;
  readonly pictures?: Pick<ImageReadOptions, 'autoOrient' | 'window' | 'frame' | 'keepTags'>;
  /** Folder of the model with its image tower drawn again. */
  readonly randomised: string;
}

/** What a worker thread starts with. */
export interface AuditStart {
  /** Names the model. */
  readonly model: string;
  readonly place: AuditPlace;
}

/** Opens what findings are measured with. @param model stays the caller's */
export async function openAuditWork(model: DualEncoder, place: AuditPlace): Promise<ServedWork<AuditPiece, AuditRecord>> {
  const { method: name, seed, pictures } = place;
  const random = await loadModel(place.randomised);
  const [method, randomised] = [model, random].map(each => createMethod(findMethod(name)!, each));
  const centre = createMethod('centre-prior', model);
  const tools: AuditTools = { method, randomised, centre, seed, pictures };
  return {
    async work({ item, key }, hooks) {
      try {
        await hooks.onCell(key, { result: await measureItem(item, tools) });
      } catch (error) {
        if (!(error instanceof NarrowsError)) throw error;
        await hooks.onCell(key, { failure: messageOf(error) });
      }
    },
    async release() {
      for (const each of [method, randomised, centre, random]) await each.release();
    },
  };
}

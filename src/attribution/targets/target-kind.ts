/** @file A kind of target: what it is called, and how it is encoded for both towers. */
import { requireKnown, requireText, truncationWarning, unknownWarning } from '../../inputs/text/require-text.ts';
import type { DualEncoder, Modality } from '../../models/dual-encoder.ts';
import type { EncodedPairs } from '../pair.ts';
import { row } from '../rows.ts';
import { type Target, unit } from '../target.ts';

/** What targets are made from. */
export interface TargetContext {
  readonly model: DualEncoder;
  readonly encoded: EncodedPairs;
  /** Unit features of the pairs' pictures and captions, [E] each. */
  readonly images: readonly Float32Array[];
  readonly captions: readonly Float32Array[];
  /** Edge of the pairs' pictures where it is not the model's: another picture gets the same. */
  readonly imageSize?: number;
  /** What to call a target picture. */
  readonly imageName?: string;
  readonly warn: (message: string) => void;
}

/** What the maps of both towers explain. */
export type Targets = Readonly<Record<Modality, Target>>;

/** One kind. @throws NarrowsError from `encode`, for what cannot be encoded */
export type TargetEncoder<Given> = (context: TargetContext, given: Given) => Promise<Targets>;

/** Some texts in quotes, the rest as a number. */
export const quoted = (texts: readonly string[], most = 5): string =>
  [...texts.slice(0, most).map(text => `"${text}"`), ...(texts.length > most ? [`${texts.length - most} more`] : [])].join(', ');

/** Unit features of texts, [E] each; cut or partly unknown ones are warned about. @throws NarrowsError for an empty text or one of unknown words only */
export async function encodeTexts(
  { model, warn }: Pick<TargetContext, 'model' | 'warn'>,
  texts: readonly string[],
): Promise<Float32Array[]> {
  const batch = model.requireTokenizer().encodeBatch(
    texts.map(text => requireText(text)),
    { maxLength: model.maxTextLength },
  );
  for (const [i, each] of batch.rows.entries()) {
    requireKnown(texts[i], each);
    for (const warning of [truncationWarning(each), unknownWarning(texts[i], each)]) if (warning) warn(warning);
  }
  const features = await model.textFeatures(batch.inputIds, batch.attentionMask);
  return texts.map((_, i) => unit(row(features, i)));
}

/** @file Encoders of EMI by the name of a model: a CLIP or SigLIP, a LLaVA, or, for texts, a BERT-like model. */
import { openBottleneckLlava } from '../../bottleneck/gaussian/pretrained.ts';
import { readConfig } from '../../checkpoints/disk.ts';
import type { TensorEntry } from '../../checkpoints/safetensors.ts';
import type { Tokenizer } from '../../inputs/text/tokenizer.ts';
import { findModel } from '../../models/bundled.ts';
import { modelKind } from '../../models/load.ts';
import { LlavaMiniModel, type LoadOptions, loadModel } from '../../models/pretrained.ts';
import { join } from '../../node/paths.ts';
import { NarrowsError } from '../../system/errors.ts';
import { isBertLike, openBertTexts } from './bert-texts.ts';
import { type Joining, joiningFor } from './embedding.ts';
import { dualPictures, llavaPictures, type PictureEncoder } from './picture-encoder.ts';
import { type TextEncoder, tokenMeans } from './text-encoder.ts';

/** What embeds the sets of EMI. Release it (or `await using`) when done. */
export interface EmiEncoders extends AsyncDisposable {
  readonly pictures: PictureEncoder;
  readonly texts: TextEncoder;
  /** How picture and question become one: the published mean where both are equally wide. */
  readonly joining: Joining;
  /** What was assumed, in sentences. */
  readonly warnings: readonly string[];
}

/** The sides of one opened model. */
interface Sides {
  readonly pictures?: PictureEncoder;
  /** The error where there is no usable tokenizer: thrown only where its texts are wanted. */
  readonly texts: TextEncoder | NarrowsError;
  readonly warnings: readonly string[];
  release(): Promise<void>;
}

const CLIP_TABLE = 'text_model.embeddings.token_embedding.weight';
const LLAVA_TABLE = 'model.language_model.embed_tokens.weight';

const textsOf = (name: string, tokenizer: Tokenizer | NarrowsError, table: TensorEntry): TextEncoder | NarrowsError =>
  tokenizer instanceof NarrowsError ? tokenizer : tokenMeans({ name: `token embeddings of ${name}`, tokenizer, table });

async function openSides(reference: string, options: LoadOptions): Promise<Sides> {
  const found = await findModel(reference, options);
  const { directory, name } = found;
  const config = await readConfig(directory);
  if (isBertLike(config.model_type)) {
    const texts = await openBertTexts(directory, name, config);
    return { texts, warnings: [], release: async () => {} };
  }
  const kind = modelKind(config, join(directory, 'config.json'));
  if (kind === 'dual-encoder') {
    const model = await loadModel(reference, options);
    const table = model.checkpoint.entries.get(CLIP_TABLE)!;
    return {
      pictures: dualPictures(model),
      texts: textsOf(name, model.tokenizer, table),
      warnings: model.warnings ?? [],
      release: () => model.release(),
    };
  }
  // A bottleneck stands behind the embeddings: neither side of it is run here.
  const model = kind === 'llava' ? await openBottleneckLlava(found, options) : await LlavaMiniModel.open(found, options);
  const { tokenizer, checkpoint, warnings } = model.parts;
  const pictures = await llavaPictures(model.parts);
  return {
    pictures,
    texts: textsOf(name, tokenizer, checkpoint.entries.get(LLAVA_TABLE)!),
    warnings,
    async release() {
      await pictures.graph.release();
      await model.release();
    },
  };
}

/**
 * Opens encoders. @param model whose tower embeds pictures: a shipped model, a directory, or `org/name` on the hub
 * @param textModel whose token embeddings embed texts; the same model by default. `xlm-roberta-base` with `openai/clip-vit-base-patch32` is published.
 * @throws NarrowsError for a model that embeds no pictures, or has no tokenizer, and as the models' own opening
 */
export async function openEmiEncoders(model: string, textModel: string = model, options: LoadOptions = {}): Promise<EmiEncoders> {
  const first = await openSides(model, options);
  const second =
    textModel === model
      ? first
      : await openSides(textModel, options).catch(async error => {
          await first.release();
          throw error;
        });
  const release = async (): Promise<void> => {
    await first.release();
    if (second !== first) await second.release();
  };
  if (!first.pictures || second.texts instanceof NarrowsError) {
    await release();
    if (first.pictures) throw second.texts;
    throw new NarrowsError(`${model} embeds texts only; name a CLIP, SigLIP or LLaVA for the pictures, and ${model} as the text model.`);
  }
  const [pictures, texts] = [first.pictures, second.texts];
  const joining = joiningFor(pictures.width, texts.width);
  const warnings = [...new Set([...first.warnings, ...second.warnings])];
  if (joining === 'concatenate')
    warnings.push(
      `Pictures are embedded with ${pictures.width} values and texts with ${texts.width}, so that their published mean is not defined; they are concatenated.`,
    );
  return { pictures, texts, joining, warnings, [Symbol.asyncDispose]: release };
}

/** @file One method on one picture and text for the studio: who explains, what is told on the way, where the map lies. */
import type { AttributeRun } from '../../attribution/attributor.ts';
import type { AttributeFrame } from '../../attribution/frames.ts';
import { methodOptions } from '../../attribution/method.ts';
import { explainQuestion } from '../../attribution/question.ts';
import { findMethod } from '../../attribution/registry.ts';
import type { Attribution } from '../../attribution/result.ts';
import { type RegisteredMethod, wrongSubject } from '../../attribution/subject.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { aloneWarning, answerRun, withWarning } from '../../studio/explained-answers.ts';
import { type FrameEvent, StudioError } from '../../studio/protocol.ts';
import type { AttributeRequest, MethodChoice } from '../../studio/requests.ts';
import type { ModelShelf, OpenModel } from './model-shelf.ts';
import type { PictureShelf, ShelvedPicture } from './picture-shelf.ts';

/**
 * A method that the registry knows, with all of its options.
 * @param answers whether it explains answers, for which some options have another default
 * @throws StudioError for another name, NarrowsError for an option that is wrong
 */
export function chosenMethod(
  { name, options }: MethodChoice,
  answers: boolean,
): {
  readonly entry: RegisteredMethod;
  readonly filled: Readonly<Record<string, unknown>>;
} {
  const entry = findMethod(name);
  if (!entry) throw new StudioError('usage', `There is no method "${name}"; choose another one.`);
  const usual = answers && entry.serves === 'pair' ? entry.answers?.defaults?.(options) : undefined;
  return { entry, filled: methodOptions(entry as RegisteredMethod<Record<string, unknown>>, { ...usual, ...options }) };
}

/** What a job has at hand. */
export interface Explaining {
  readonly models: ModelShelf;
  readonly pictures: PictureShelf;
  readonly model: OpenModel;
  readonly picture: ShelvedPicture;
}

/** Who is told. */
export interface Watching {
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
  readonly onWarning: (message: string) => void;
  readonly onFrame?: (frame: AttributeFrame) => void;
}

/** A result, and the picture that its map lies on. */
export interface Explained {
  readonly attribution: Attribution;
  readonly image: RgbImage;
}

/** Explains. @throws NarrowsError or StudioError for what cannot be, the signal's reason */
export async function explain(
  { models, pictures, model, picture }: Explaining,
  request: AttributeRequest,
  { name, options }: MethodChoice,
  watching: Watching,
): Promise<Explained> {
  const { entry } = chosenMethod({ name, options }, model.chat !== undefined);
  const { info, image, sha256 } = picture;
  const pair = { image, text: request.text, imageName: info.name, imageSha256: sha256 };
  const { picture: other, ...texts } = request.target;
  const target = other === undefined ? texts : await otherPicture(pictures, other);
  const run: AttributeRun = {
    ...{ modality: request.modality, seed: request.seed, seeds: request.seeds, imageSize: request.imageSize },
    ...(Object.values(target).some(value => value !== undefined) ? { target } : {}),
    ...watching,
  };
  if (model.chat) {
    const { chat } = model;
    const { signal, onProgress, onWarning } = watching;
    const asked = { ...answerRun(request, entry), signal, onProgress, onWarning };
    const alone = aloneWarning(request);
    if (alone !== undefined) onWarning(alone);
    const attribution =
      entry.serves === 'question'
        ? await explainQuestion(entry, { model: chat, pair }, options, asked)
        : await (await models.answerMethod(model, entry, options)).attribute(pair, asked);
    return { attribution: withWarning(attribution, alone), image: chat.picture(image) };
  }
  if (request.answer)
    throw new StudioError('usage', 'This model compares images with texts and answers nothing; open a LLaVA to explain answers.');
  if (entry.serves === 'question') throw new StudioError('usage', wrongSubject(entry));
  const method = await models.method(model, entry, options);
  return { attribution: await method.attribute(pair, run), image };
}

async function otherPicture(pictures: PictureShelf, id: string): Promise<NonNullable<AttributeRun['target']>> {
  const { info, image, path } = await pictures.get(id);
  return { image, imageName: path ?? info.name };
}

/** A frame as an event. */
export const frameEvent = (method: string, { pair: _, seedIndex, words, ...frame }: AttributeFrame): FrameEvent => ({
  kind: 'frame',
  method,
  seed: seedIndex,
  ...frame,
  ...(words ? { words: words.map(({ text, start, end, value }) => ({ text, start, end, value })) } : {}),
});

/**
 * The result with its map on the picture itself: models that answer may see it widened to a square, and their results lie on that.
 * @param widened the picture that the result's map lies on
 */
export function onPicture(attribution: Attribution, widened: RgbImage, { width, height }: RgbImage): Attribution {
  const { image } = attribution;
  if (!image || (widened.width === width && widened.height === height)) return attribution;
  const { view } = image;
  const [left, top] = [Math.floor((widened.width - width) / 2), Math.floor((widened.height - height) / 2)];
  const provenance = { ...attribution.provenance, image: { ...attribution.provenance.image, width, height } };
  return { ...attribution, provenance, image: { ...image, view: { ...view, left: view.left - left, top: view.top - top } } };
}

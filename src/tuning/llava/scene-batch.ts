/** @file Training batches of conversations about scenes. A batch is a function of (settings, step) only, which makes a resumed run bit-equal. */
import { imageTokens, type LlavaConfig } from '../../models/llava/config.ts';
import type { Feeds } from '../../runtime/runtime.ts';
import { CHAT_IMAGE_TOKEN, chatIds, chatTokenId } from '../../scenes/chat-tokenizer.ts';
import { cuedExistence } from '../../scenes/cue.ts';
import { denseConversation, type Instruction, type Task } from '../../scenes/instructions.ts';
import { drawScene, type Scene, sceneBuffers } from '../../scenes/scene.ts';
import type { SceneWorld } from '../../scenes/sprite-atlas.ts';
import { type RandomReader, RandomStream } from '../../tensor/random.ts';
import { floats, type Tensor } from '../../tensor/tensor.ts';
import type { TrainingArguments } from '../arguments.ts';
import { writePatches } from '../clip/batch.ts';
import { type EncodedTurns, packTurns } from './isolated-turns.ts';
import { type LossAverage, lossCount } from './loss-average.ts';
import { PatchLabels } from './patch-labels.ts';
import { tokenFeeds } from './token-feeds.ts';
import type { UpdateSettings, UpdateSource } from './update-batch.ts';

/** What conversations of a run are drawn from. */
export interface SceneChatSettings {
  readonly seed: number;
  readonly batchSize: number;
  readonly imageMean: readonly number[];
  readonly imageStd: readonly number[];
  /** Scenes grow from one object to `maxObjects`, one more every so many steps; 0: all numbers from the start. */
  readonly curriculumSteps: number;
  readonly maxObjects: number;
  /** Probability that a word of a question is spelled letter by letter: a language model has seen words in pieces. */
  readonly spelled: number;
  /** Give the word of the thing that each patch shows, for pre-training a projector towards a decoder that knows no words yet. */
  readonly patchWords?: boolean;
  /** And the word of the background's colour where it shows none. */
  readonly patchColors?: boolean;
  /** And what patches say of their things (`thingFacts`): how far they stand out along its directions. */
  readonly patchThings?: number;
  /** See `denseConversation`. */
  readonly extra: number;
  readonly caption?: number;
  readonly everyThing?: boolean;
  readonly listing?: boolean;
  /** Tasks that are asked; all by default. */
  readonly tasks?: readonly Task[];
  /** Most turns of a conversation; all by default. */
  readonly maxTurns?: number;
  /**
   * Each turn is asked as if by itself (isolated-turns.ts). In a conversation a later turn reads from earlier ones what the picture shows,
   * and so learns to answer from text; an exam asks right after the picture.
   */
  readonly isolated?: boolean;
  /** Existence is asked so that the background's colour foretells the answer with this probability (scenes/cue.ts). */
  readonly cue?: number;
  /**
   * Questions are supervised as answers are, the template is not: LIT ("Learning to Instruct for Visual Instruction Tuning", arXiv 2503.22215,
   * section 3), by which a model has to look at the picture for what could be asked of it.
   */
  readonly instructions?: boolean;
  /** Mean over supervised tokens by default; over answers, a caption of twelve words does not weigh as twelve of yes. */
  readonly lossAverage?: LossAverage;
}

const USER = chatIds('user :');
const ASSISTANT = chatIds('assistant :');
const [BOS, EOS] = [chatTokenId('<s>'), chatTokenId('</s>')];

/**
 * The tokens that the chat template and its tokenizer give for a conversation that begins with an image; labels are −100 but at answers
 * and their end. @param encode ids of a question; by default those of its words @param instructions supervise questions too, but for their first
 * word, before which, in isolated turns, another turn stands
 */
export function encodeTurns(
  turns: readonly Pick<Instruction, 'question' | 'answer'>[],
  perImage: number,
  encode: (question: string) => readonly number[] = question => chatIds(question),
  instructions = false,
): EncodedTurns {
  const ids: number[] = [BOS];
  const labels: number[] = [-100];
  const add = (tokens: readonly number[], supervised: boolean): void => {
    ids.push(...tokens);
    labels.push(...(supervised ? tokens : tokens.map(() => -100)));
  };
  turns.forEach(({ question, answer }, i) => {
    add(USER, false);
    if (i === 0) add(Array<number>(perImage).fill(CHAT_IMAGE_TOKEN), false);
    const asked = encode(question);
    add(asked.slice(0, 1), false);
    add(asked.slice(1), instructions);
    add(ASSISTANT, false);
    add([...chatIds(answer), EOS], true);
  });
  return { ids, labels };
}

/** An RGB scene as normalised floats [3, S, S] written into `out` at `at`. */
export function writePixels(scene: Scene, mean: readonly number[], std: readonly number[], out: Float32Array, at: number): void {
  // One patch as large as the image is the image, channel by channel.
  writePatches(scene.image.data, { imageSize: scene.width, patchSize: scene.width, imageMean: mean, imageStd: std }, [0], out, at);
}

/** Questions of existence with a spurious cue, each once: three are as many as a conversation has without. */
function withCue(scene: Scene, reader: RandomReader, turns: readonly Instruction[], share: number): Instruction[] {
  const cued = Array.from({ length: 3 }, () => cuedExistence(scene, reader, share));
  const asked = cued.filter(({ question }, i) => cued.findIndex(other => other.question === question) === i);
  return reader.shuffle([...turns.filter(({ task }) => task !== 'existence'), ...asked]);
}

function turnsOf(
  scene: Scene,
  reader: RandomReader,
  { tasks, extra, caption, everyThing, listing, maxTurns, cue }: SceneChatSettings,
): Instruction[] {
  const dense = denseConversation(scene, reader, { extra, caption, everyThing, listing });
  const all = cue === undefined ? dense : withCue(scene, reader, dense, cue);
  const wanted = tasks ? all.filter(t => tasks.includes(t.task)) : all;
  return wanted.slice(0, maxTurns ?? wanted.length);
}

/** A micro-batch: its rows as `updateBatch` takes them (with `patch_words` [B, N] where asked for), and its supervised tokens. */
interface SceneRows {
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly supervised: number;
}

function sceneRows(world: SceneWorld, config: LlavaConfig, settings: SceneChatSettings, step: number): SceneRows {
  const { batchSize, maxObjects, curriculumSteps } = settings;
  const size = config.vision_config.image_size;
  const scenes = new RandomStream(settings.seed, 'chat.scenes');
  const chats = new RandomStream(settings.seed, 'chat.turns');
  const spelling = new RandomStream(settings.seed, 'chat.spelling');
  const objects = curriculumSteps ? Math.min(maxObjects, 1 + Math.floor(step / curriculumSteps)) : maxObjects;
  const buffers = sceneBuffers(size, size);
  const pixels = new Float32Array(batchSize * 3 * size * size);
  const rows: EncodedTurns[] = [];
  const perImage = imageTokens(config);
  const labels =
    settings.patchWords || settings.patchColors || settings.patchThings
      ? new PatchLabels(batchSize, config, settings.patchThings)
      : undefined;
  for (let b = 0; b < batchSize; b++) {
    const scene = drawScene(world, { width: size, height: size, minObjects: 1, maxObjects: objects }, scenes.reader(step, b), buffers);
    const spell = spelling.reader(step, b);
    const spelled = (question: string): number[] => chatIds(question, () => spell.uniform() < settings.spelled);
    const turns = turnsOf(scene, chats.reader(step, b), settings);
    const encode = (asked: readonly Instruction[]): EncodedTurns =>
      encodeTurns(asked, perImage, settings.spelled ? spelled : undefined, settings.instructions);
    rows.push(
      settings.isolated
        ? packTurns(
            turns.map(turn => encode([turn])),
            CHAT_IMAGE_TOKEN,
          )
        : encode(turns),
    );
    labels?.set(b, scene);
    writePixels(scene, settings.imageMean, settings.imageStd, pixels, b * 3 * size * size);
  }
  return {
    supervised: lossCount(rows, settings.lossAverage),
    feeds: {
      ...tokenFeeds(config, rows, batchSize, settings.lossAverage),
      pixel_values: floats([batchSize, 3, size, size], pixels),
      ...labels?.feeds(settings.patchColors === true),
    },
  };
}

/** Scenes and conversations about them, update by update. The micro-batches of one are drawn together, as its loss counts them together. */
export class SceneUpdates implements UpdateSource {
  private drawn: { readonly update: number; readonly micro: readonly SceneRows[] } | undefined;

  /** @param accumulation micro-batches of an update */
  constructor(
    private readonly world: SceneWorld,
    private readonly config: LlavaConfig,
    private readonly settings: SceneChatSettings,
    private readonly accumulation: number,
  ) {}

  supervised(update: number): number[] {
    return this.draw(update).map(micro => micro.supervised);
  }

  rows(update: number, micro: number): Feeds {
    return this.draw(update)[micro].feeds;
  }

  private draw(update: number): readonly SceneRows[] {
    if (this.drawn?.update !== update) {
      const first = update * this.accumulation;
      const micro = Array.from({ length: this.accumulation }, (_, i) => sceneRows(this.world, this.config, this.settings, first + i));
      this.drawn = { update, micro };
    }
    return this.drawn.micro;
  }
}

/** How a run's arguments cut its updates. */
export const updateSettings = (args: TrainingArguments, config: LlavaConfig): UpdateSettings => ({
  seed: args.seed,
  batchSize: args.per_device_train_batch_size,
  accumulation: args.gradient_accumulation_steps,
  maxSteps: args.max_steps,
  width: config.text_config.hidden_size,
});

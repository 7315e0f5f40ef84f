/** @file One model sits the whole suite: its answers, how far its states moved from the clean ones, and what its bottleneck charged. */
import { representationJsd } from '../../evaluation/distances/rjsd.ts';
import type { ChatModel } from '../../generation/chat-model.ts';
import type { LlavaConfig } from '../../models/llava/config.ts';
import { NarrowsError } from '../../system/errors.ts';
import { LimitError } from '../../system/time-limit.ts';
import { mean } from '../../tensor/statistics/descriptive.ts';
import { answersOf } from './answers.ts';
import { observe, type SideStates, type States } from './observe.ts';
import type { PriorNats } from './pooled.ts';
import { CONDITIONS, type Condition, type SuiteItem, suiteItems } from './suite.ts';

/** Divergences (RJSD, nats) of one side's states under a condition from the clean ones. */
export interface SideMovement {
  readonly used: number;
  readonly before?: number;
  readonly sampled?: number;
  /** Means over rows, under the condition. */
  readonly nats?: PriorNats;
}

/** What a condition gave. */
export interface Sat {
  readonly condition: string;
  readonly answers: readonly string[];
  readonly visual: SideMovement;
  readonly text: SideMovement;
}

/** What a model gave. */
export interface Sitting {
  readonly model: string;
  /** Block whose output is looked at. */
  readonly layer: number;
  readonly scenes: number;
  readonly conditions: readonly Sat[];
}

function movement(clean: SideStates, shifted: SideStates): SideMovement {
  const used = representationJsd(clean.used, shifted.used);
  if (shifted.nats.length === 0) return { used };
  const average = (key: keyof PriorNats): number => mean(shifted.nats.map(nats => nats[key]));
  return {
    used,
    before: representationJsd(clean.before, shifted.before),
    sampled: representationJsd(clean.sampled, shifted.sampled),
    nats: { total: average('total'), pooled: average('pooled'), perDimension: average('perDimension') },
  };
}

/** How a sitting is watched. */
export interface SittingOptions {
  readonly scenes: number;
  /** Block to look behind where the model has no bottleneck. */
  readonly layer: number;
  readonly signal?: AbortSignal;
  readonly onCondition?: (name: string, done: number, of: number) => void;
}

/** The items of a condition for a model. */
export const itemsFor = (chat: ChatModel, condition: Condition, scenes: number): Promise<SuiteItem[]> =>
  suiteItems(condition, scenes, (chat.model.config as LlavaConfig).vision_config.image_size);

/** Times that a condition is tried where the machine is too busy for the limits of chat templates. */
const TRIES = 4;

const tooBusy = (error: unknown): boolean => error instanceof NarrowsError && error.cause instanceof LimitError;

/**
 * Sits the suite, clean first.
 * @param open opens the model, again where its chat template ran into its limit of time on a busy machine
 * @throws NarrowsError as `observe`; the signal's reason when it aborts
 */
export async function sit(open: () => Promise<ChatModel>, options: SittingOptions): Promise<Sitting> {
  const { scenes, layer, signal, onCondition } = options;
  const conditions: Sat[] = [];
  let clean: States | undefined;
  let chat = await open();
  try {
    for (const [i, condition] of CONDITIONS.entries()) {
      onCondition?.(condition.name, i, CONDITIONS.length);
      const items = await itemsFor(chat, condition, scenes);
      const shown = items.map(({ scene, image, question }) => ({ picture: scene, image, question }));
      for (let tries = 1; conditions.length === i; tries++) {
        try {
          const states = await observe(chat, shown, layer, signal);
          const answers = await answersOf(chat, items, signal);
          clean ??= states;
          const [visual, text] = [movement(clean.visual, states.visual), movement(clean.text, states.text)];
          conditions.push({ condition: condition.name, answers, visual, text });
        } catch (error) {
          if (tries === TRIES || !tooBusy(error)) throw error;
          await chat.release();
          chat = await open();
        }
      }
    }
    return { model: chat.name, layer, scenes, conditions };
  } finally {
    await chat.release();
  }
}

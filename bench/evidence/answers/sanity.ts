/** @file Parameter randomisation of answers' maps, and the map of an untrained model as a control: its own program of models on the disk. */
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RandomisedAnswers } from '../../../src/evaluation/answers/randomised.ts';
import { ChatModel } from '../../../src/generation/pretrained.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import type { Study } from './study.ts';

/** Copies of the study's model, drawn again in part, in a folder that goes with them. */
export class Untrained implements AsyncDisposable {
  readonly models: RandomisedAnswers;
  private readonly folder = mkdtempSync(join(tmpdir(), 'narrows-untrained-'));

  constructor({ chat, seed }: Study) {
    this.models = new RandomisedAnswers(chat, at => ChatModel.open(at, { runtime: nodeRuntime({ threads: 1 }) }), this.folder, seed);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.models.release();
    await rm(this.folder, { recursive: true, force: true });
  }
}

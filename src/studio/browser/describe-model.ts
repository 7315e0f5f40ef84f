/** @file An open model in the words of the protocol. */

import type { ChatModel } from '../../generation/chat-model.ts';
import type { DualEncoderModel } from '../../models/dual-encoder-model.ts';
import type { ModelInfo, TowerInfo } from '../facts.ts';
import { servedPairs, servedQuestions } from '../served.ts';
import type { BrowserModel } from './messages.ts';

/** Room that a model takes when it is open: its weights, and a copy of some of them that ONNX Runtime repacks. */
const MEMORY = 2.2;

const common = ({ id, name, origin }: BrowserModel, bytes: number) => ({
  ...{ id, name, origin, bytes, open: true },
  memory: Math.round(MEMORY * bytes),
});

/** A model that compares. @param bytes of its files */
export async function describePairs(model: DualEncoderModel, of: BrowserModel, bytes: number): Promise<ModelInfo> {
  const { vision_config: vision } = model.config;
  const tower = ({ layers, width, heads }: TowerInfo): TowerInfo => ({ layers, width, heads });
  return {
    ...common(of, bytes),
    kind: 'dual-encoder',
    sha256: await model.sha256(),
    image: { ...tower(model.image), size: vision.image_size, patch: vision.patch_size },
    text: tower(model.text),
    ...servedPairs(model),
    warnings: model.warnings ?? [],
  };
}

/** A model that answers. @param bytes of its files */
export function describeChat(chat: ChatModel, of: BrowserModel, bytes: number, kind: 'llava' | 'llava-mini'): ModelInfo {
  const { vision_config: vision, text_config: text, bottleneck_config: bottleneck } = chat.model.config;
  return {
    ...common(of, bytes),
    kind,
    image: {
      ...{ layers: vision.num_hidden_layers, width: vision.hidden_size, heads: vision.num_attention_heads },
      ...{ size: vision.image_size, patch: vision.patch_size },
    },
    text: { layers: text.num_hidden_layers, width: text.hidden_size, heads: text.num_attention_heads },
    ...servedQuestions(chat),
    bottleneck: bottleneck !== undefined && bottleneck !== null,
    warnings: chat.warnings,
  };
}

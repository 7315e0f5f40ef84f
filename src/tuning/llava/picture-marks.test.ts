/** A chat template that leaves out what a Qwen2-VL was trained to see around a picture: said by every way in that takes a template. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ChatModel } from '../../generation/pretrained.ts';
import { familyDirectory } from '../../generation/testing/family-goldens.ts';
import { missingMarks } from '../../inputs/chat/picture-marks.ts';
import type { ChatTemplate } from '../../inputs/chat/template.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { tuneTrainingSchema } from './arguments.ts';
import { llavaFileTask } from './file-task.ts';
import { TINY_RUN, writeTinyData } from './testing/tiny-llava.ts';

const QWEN = familyDirectory('qwen2-vl/testdata/qwen2-vl-tiny');
const SMOLVLM = familyDirectory('smolvlm/testdata/smolvlm-tiny');
const runtime = nodeRuntime({ threads: 1 });
const MISSING = /^The chat template chatml writes pictures without <\|vision_start\|> and <\|vision_end\|> around them/;
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-marks-'));
});
afterAll(() => rm(root, { recursive: true }));

const said = (warnings: readonly string[]): string[] => warnings.filter(warning => warning.includes('<|vision_start|>'));
const writing = (front: string, behind: string): ChatTemplate => ({
  name: 'made up',
  render: ([{ content }]) => [{ text: content.replace('<image>', `${front}<image>${behind}`), supervised: false, role: 'user' }],
});

it.each([
  ['(', ')', false],
  ['( ', '\n)', false],
  ['', '', true],
  ['(', '', true],
  ['', ')', true],
  [')', '(', true],
])('is seen by what stands on both sides of a picture: %j and %j', (front, behind, missing) => {
  expect(missingMarks(writing(front, behind), ['(', ')'], 'model') !== undefined).toBe(missing);
});

it('is said when a model is opened with it, and the remedy that is named helps', async () => {
  for (const [directory, template, count] of [
    [QWEN, 'chatml', 1],
    [QWEN, undefined, 0],
    // A SmolVLM's tiles bring their own tokens.
    [SMOLVLM, 'chatml', 0],
  ] as const) {
    await using chat = await ChatModel.open(directory, { runtime, ...(template ? { template } : {}) });
    expect(said(chat.warnings), `${directory}, ${template}`).toHaveLength(count);
    if (count) expect(said(chat.warnings)[0]).toMatch(MISSING);
  }
});

it('is said by a training with it, not by one with the template of the checkpoint', async () => {
  const { template: _, ...tiny } = TINY_RUN;
  const { path } = await writeTinyData(root, 4);
  const args = (template?: string) =>
    tuneTrainingSchema.parse({
      ...tiny,
      ...{ model: QWEN, data_path: path, method: 'lora', output_dir: join(root, 'out'), ...(template ? { template } : {}) },
      ...{ per_device_train_batch_size: 2, gradient_accumulation_steps: 1, max_steps: 1 },
    });
  for (const [template, count] of [
    ['chatml', 1],
    [undefined, 0],
  ] as const) {
    const task = await llavaFileTask(runtime, args(template));
    expect(said(task.warnings ?? []), String(template)).toHaveLength(count);
    await task.close();
  }
});

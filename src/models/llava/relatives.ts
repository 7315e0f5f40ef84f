/** @file Checkpoints that one may take for one of the families, and that are another version: what they are, and what runs in their place. */
import { NarrowsError } from '../../system/errors.ts';

/** What a `model_type` is, and which checkpoints of its family run. */
const RELATIVES: Readonly<Record<string, readonly [what: string, instead: string]>> = {
  idefics: ['the first Idefics, which looks at pictures by cross-attention', 'an Idefics3 or a SmolVLM'],
  idefics2: ['an Idefics2, whose connector resamples its patches', 'an Idefics3 or a SmolVLM'],
  qwen: ['the first Qwen or Qwen-VL, whose code is not in transformers', 'a Qwen2-VL or Qwen2.5-VL'],
  qwen3_vl: ['a Qwen3-VL, whose decoder reads several blocks of its tower', 'a Qwen2-VL or Qwen2.5-VL'],
  qwen3_vl_moe: ['a Qwen3-VL with experts', 'a Qwen2-VL or Qwen2.5-VL'],
  qwen2_5_omni: ['a Qwen2.5-Omni, which hears and speaks, too', 'a Qwen2.5-VL'],
  llava_next_video: ['a LLaVA-NeXT for video', 'a LLaVA-NeXT or LLaVA-OneVision'],
  video_llava: ['a Video-LLaVA', 'a LLaVA-NeXT or LLaVA-OneVision'],
  vipllava: ['a ViP-LLaVA, whose projector reads and normalises several layers', 'a LLaVA-1.5'],
  llava_qwen: ["a LLaVA-OneVision in the original code's layout", "one in transformers' (llava-hf/llava-onevision-qwen2-0.5b-ov-hf)"],
  llava_mistral: ["a LLaVA-NeXT in the original code's layout", "one in transformers' (llava-hf/llava-v1.6-mistral-7b-hf)"],
};

/** Whether a config of the original LLaVA code is one of 1.6 (NeXT), whose pictures become tiles. */
const isOriginalNext = (json: Readonly<Record<string, unknown>>): boolean =>
  (json.model_type === 'llava_llama' || (json.model_type === 'llava' && typeof json.vision_config !== 'object')) &&
  typeof json.mm_vision_tower === 'string' &&
  (String(json.image_aspect_ratio ?? '').startsWith('anyres') ||
    ![undefined, null, 'flat'].includes(json.mm_patch_merge_type as undefined));

/** @throws NarrowsError in one sentence for another version of a family that runs; nothing for every other config */
export function refuseRelative(json: Readonly<Record<string, unknown>>, source: string): void {
  const type = String(json.model_type);
  const next = ["a LLaVA-NeXT (1.6) in the original code's layout", "one in transformers' (llava-hf/llava-v1.6-vicuna-7b-hf)"] as const;
  const relative = Object.hasOwn(RELATIVES, type) ? RELATIVES[type] : isOriginalNext(json) ? next : undefined;
  if (relative)
    throw new NarrowsError(
      `${source} is of model_type ${JSON.stringify(json.model_type)}: ${relative[0]}, which Narrows does not run; take ${relative[1]}.`,
    );
}

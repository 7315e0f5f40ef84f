/** @file What a run was trained with, written into its checkpoint: chat template, system text and what became of pictures that are no squares. */
import { parseJson } from '../../checkpoints/config.ts';
import { TEMPLATE_FILE } from '../../inputs/chat/checkpoint-template.ts';
import type { Conversation } from '../../inputs/chat/messages.ts';
import type { ChatTemplate } from '../../inputs/chat/template.ts';
import { PREPROCESSOR_FILE, PROCESSOR_FILE } from '../../inputs/image/image-rules.ts';
import { parseProcessorConfig } from '../../inputs/image/processor-config.ts';
import { familyOf } from '../../models/llava/families.ts';
import type { SideFile } from '../clip/source.ts';
import type { LlavaSource } from './source.ts';

/** How samples were rendered and read. */
export interface TrainedWith {
  readonly template: ChatTemplate;
  readonly aspectRatio: 'pad' | 'square';
  /** Stage 1 keeps the start's chat template: captions are no chats. */
  readonly keepTemplate: boolean;
  readonly samples: readonly Pick<Conversation, 'messages'>[];
}

/** The system text that all samples begin with; undefined where they have none, with a sentence where they differ. */
function commonSystem(samples: TrainedWith['samples']): { system?: string; warning?: string } {
  const texts = samples.map(({ messages: [first] }) => (first?.role === 'system' ? first.content : undefined));
  const different = new Set(texts);
  if (different.size <= 1) return { system: texts[0] };
  const some = texts.filter(text => text !== undefined).length;
  const what =
    some < texts.length ? `${some} of ${texts.length} samples have a system text` : `The samples have ${different.size} system texts`;
  return {
    warning: `${what}, so none is stored in the checkpoint's chat template: an answer has the one that it is asked with (--system), else the template's.`,
  };
}

const toJson = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;

/** Files of the chat template; its older places in other files are emptied. */
function templateFiles(files: ReadonlyMap<string, SideFile>, text: string): Map<string, SideFile> {
  const out = new Map(files);
  out.delete('chat_template.json');
  const config = out.get('tokenizer_config.json');
  if (typeof config === 'string') {
    const { chat_template: _, ...rest } = parseJson(config, 'tokenizer_config.json') as Record<string, unknown>;
    out.set('tokenizer_config.json', toJson(rest));
  }
  return out.set(TEMPLATE_FILE, text);
}

/** The image rules with LLaVA's padding, or without it, in whichever files hold them. */
function ruleFiles(files: ReadonlyMap<string, SideFile>, rules: object, pad: boolean): Map<string, SideFile> {
  const whole = parseProcessorConfig(rules);
  const out = new Map(files);
  if (whole.do_pad === pad) return out;
  // LlavaImageProcessor is the class that pads, in Python as here; written in full, no default of another class counts.
  const next = { ...whole, image_processor_type: 'LlavaImageProcessor', do_pad: pad };
  const processor = out.get(PROCESSOR_FILE);
  const json = typeof processor !== 'string' ? undefined : (parseJson(processor, PROCESSOR_FILE) as Record<string, unknown>);
  if (json?.image_processor) out.set(PROCESSOR_FILE, toJson({ ...json, image_processor: next }));
  if (!json?.image_processor || out.has(PREPROCESSOR_FILE)) out.set(PREPROCESSOR_FILE, toJson(next));
  return out;
}

/**
 * The source whose files say how it was trained, so that chat, generate and Python ask in the same way.
 * @returns with a warning where something cannot be stored
 */
export function asTrained(source: LlavaSource, { template, aspectRatio, keepTemplate, samples }: TrainedWith): LlavaSource {
  const warnings = [...source.warnings];
  // A family takes pictures of any shape by its own rules.
  const family = familyOf(source.config);
  const withRules = family ? new Map(source.files) : ruleFiles(source.files, source.preprocessor, aspectRatio === 'pad');
  let files: ReadonlyMap<string, SideFile> = withRules;
  if (!keepTemplate) {
    const { system, warning } = commonSystem(samples);
    if (warning) warnings.push(warning);
    const text = template.toJinja?.(system);
    if (text === undefined)
      warnings.push(
        `The template ${template.name} cannot be stored in the checkpoint; ask with --template ${template.name} to be answered as it was trained.`,
      );
    else if (template.name !== 'jinja' || system !== undefined) files = templateFiles(withRules, text);
  }
  const changed = new Map([...files].filter(([name, text]) => source.files.get(name) !== text));
  return { ...source, files, changed, warnings, json: family ? source.json : { ...source.json, image_aspect_ratio: aspectRatio } };
}

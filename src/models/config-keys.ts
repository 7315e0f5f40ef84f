/** @file Keys of config.json that change what a model computes and that Narrows does not compute: refused, or said by name. */
import { NarrowsError } from '../system/errors.ts';

type Json = Readonly<Record<string, unknown>>;
const record = (value: unknown): Json | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
const SECTIONS = ['text_config', 'vision_config'] as const;

/** The config and its sections, each with the beginning of its keys' names. */
const parts = (json: Json): [prefix: string, part: Json][] => [
  ['', json],
  ...SECTIONS.flatMap((name): [string, Json][] => {
    const part = record(json[name]);
    return part ? [[`${name}.`, part]] : [];
  }),
];

/** Refuses quantised weights: their tensors do not hold what their names say. */
function refuseQuantised(json: Json, source: string): void {
  for (const [prefix, part] of parts(json)) {
    const given = record(part.quantization_config);
    if (!given) continue;
    const method = given.quant_method ?? (given.load_in_4bit || given.load_in_8bit ? 'bitsandbytes' : 'an unnamed method');
    throw new NarrowsError(
      `${source}: ${prefix}quantization_config says that the weights are quantised (${String(method)}), which Narrows does not read; take the checkpoint in F32, F16 or BF16.`,
    );
  }
}

/**
 * Looks for what transformers would compute otherwise. @returns sentences about keys that are ignored
 * @param expected the `model_type` of each section that is computed
 * @throws NarrowsError for quantised weights
 */
export function checkConfigKeys(
  json: Json,
  source: string,
  expected: Partial<Record<(typeof SECTIONS)[number], readonly string[]>> = {},
): string[] {
  refuseQuantised(json, source);
  const warnings: string[] = [];
  const code = record(json.auto_map);
  if (code)
    warnings.push(
      `${source}: auto_map names the checkpoint's own code (${Object.values(code).flat().map(String).join(', ')}), which is never run; the model is computed as transformers' own ${String(json.model_type)}.`,
    );
  for (const section of SECTIONS) {
    const type = record(json[section])?.model_type;
    const known = expected[section];
    if (known && typeof type === 'string' && !known.includes(type))
      warnings.push(`${source}: ${section}.model_type is "${type}"; it is computed as ${known[0]}, as transformers does.`);
  }
  return warnings;
}

/** @file What the flags of `narrows attribute` say, checked: what one pair, a list of pairs and a question are run with. */

import type { AttributeRun } from '../../attribution/attributor.ts';
import { methodOptions } from '../../attribution/method.ts';
import { findMethod, methods } from '../../attribution/registry.ts';
import type { RegisteredMethod } from '../../attribution/subject.ts';
import type { TargetSpec } from '../../attribution/target.ts';
import { decodeImage } from '../../inputs/image/decode.ts';
import type { ImageReadOptions } from '../../inputs/image/image-reading.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { Context, Options } from '../command.ts';
import { camel, kebab } from '../flags.ts';
import { quietPictureOptions, type SharedWindow } from '../picture-flags.ts';
import { chosenValues, someNames } from '../schema-flags.ts';

/** What the flags of a call say, checked. */
export interface AttributeSettings {
  readonly entry: RegisteredMethod;
  /** No method was named: the recommended one is taken, which depends on the model's kind. */
  readonly auto: boolean;
  /** Options of the method as given, not filled in: the method's own rules for defaults hold. */
  readonly values: Record<string, unknown>;
  readonly model: string;
  readonly run: {
    readonly modality: 'image' | 'text' | 'both';
    readonly seed: number;
    readonly seeds: number;
    readonly imageSize?: number;
    readonly maxMemory?: number;
    readonly target?: TargetSpec;
  };
  /** File of the picture that is the target; it is decoded when the run begins. */
  readonly targetImage?: string;
  /** How picture files are read. */
  readonly pictures: ImageReadOptions;
  readonly draw: {
    readonly unit?: 'nats' | 'bits';
    readonly opacity?: number;
    readonly theme?: 'light' | 'dark';
    readonly outlines?: boolean;
  };
}

/** @param given the flags that were typed. @throws NarrowsError for a flag of another method, a wrong value, or two targets */
export function settingsOf(context: Context, said: Options, typed: ReadonlySet<string>): AttributeSettings {
  const { options, given, window } = splitWindow(said, typed);
  const entry = findMethod(options.method as string) as RegisteredMethod;
  const optionNames = new Set(Object.keys(entry.schema.shape).map(camel));
  for (const other of methods) {
    for (const key of Object.keys(other.schema.shape)) {
      if (!given.has(camel(key)) || optionNames.has(camel(key))) continue;
      const owners = methods.filter(m => key in m.schema.shape).map(m => m.name);
      throw new NarrowsError(`--${kebab(key)} is an option of ${someNames(owners)}, not of ${entry.name}.`, { kind: 'usage' });
    }
  }
  if (given.has('unit') && entry.unit !== 'nats')
    throw new NarrowsError(`--unit is for methods that count information; ${entry.name} gives scores without a unit.`, { kind: 'usage' });
  const values = chosenValues(entry.schema, options);
  // Before the model is loaded: a wrong value shall cost no time.
  methodOptions(entry, values);
  return {
    entry,
    auto: options.method === 'auto',
    values,
    model: options.model as string,
    run: {
      modality: options.modality as 'image' | 'text' | 'both',
      seed: context.seed,
      seeds: options.seeds as number,
      imageSize: options.imageSize as number | undefined,
      maxMemory: options.maxMemory as number | undefined,
      target: targetOf(options, context.log.warn),
    },
    targetImage: options.targetImage as string | undefined,
    pictures: quietPictureOptions({ ...options, window }),
    draw: {
      unit: options.unit as 'nats' | 'bits',
      opacity: options.opacity as number | undefined,
      theme: options.theme as 'light' | 'dark',
      outlines: options.outlines as boolean | undefined,
    },
  };
}

/** Takes the pictures' window and the method's option of that name apart. */
function splitWindow(said: Options, typed: ReadonlySet<string>) {
  const { pictures, method } = (said.window ?? {}) as SharedWindow;
  const given = new Set(typed);
  if (method === undefined) given.delete('window');
  const options: Options = { ...said, window: method };
  return { options, given, window: pictures };
}

/** The texts that the target flags give. @throws NarrowsError where more than one target is asked for */
function targetOf(options: Options, warn: (message: string) => void): TargetSpec | undefined {
  const spec = {
    against: options.against as string | undefined,
    labels: options.labels as string[] | undefined,
    templates: options.templates as string[] | undefined,
  };
  const asked = Object.entries({ ...spec, 'target-image': options.targetImage }).filter(([, value]) => value !== undefined);
  if (asked.length > 1)
    throw new NarrowsError(`--${asked[0][0]} and --${asked[1][0]} exclude each other: one target is explained at a time.`, {
      kind: 'usage',
    });
  for (const name of ['labels', 'templates'] as const) {
    const only = spec[name];
    if (only?.length === 1 && only[0].includes(','))
      warn(`--${name} names one ${name.slice(0, -1)}, “${only[0]}”; separate the texts of a list by semicolons (a;b).`);
  }
  return asked.length === 1 ? spec : undefined;
}

/** What a run gets: the settings, with the target picture decoded. */
export async function runOf(settings: AttributeSettings): Promise<AttributeRun> {
  if (settings.targetImage === undefined) return settings.run;
  return {
    ...settings.run,
    target: { image: await decodeImage(settings.targetImage, settings.pictures), imageName: settings.targetImage },
  };
}

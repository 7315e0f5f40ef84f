/** @file `--config FILE`: a JSON object whose keys are a command's flags; what stands on the command line is stronger. */
import type { Command, Option } from 'commander';
import { InvalidArgumentError } from 'commander';
import { readJson } from '../checkpoints/disk.ts';
import { NarrowsError } from '../system/errors.ts';
import { camel } from './flags.ts';
import { ownersOf } from './schema-flags.ts';

/** Reads the file. @throws NarrowsError when it is not a JSON object */
export async function readConfigFile(file: string): Promise<Record<string, unknown>> {
  const json = await readJson(file);
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new NarrowsError(`${file} must hold a JSON object whose keys are flags, such as {"steps": 20}.`, { kind: 'usage' });
  return json as Record<string, unknown>;
}

function optionValue(option: Option, value: unknown, name: string, file: string): unknown {
  const wrong = (what: string): NarrowsError =>
    new NarrowsError(`${file}: the value of "${name}" is wrong (${JSON.stringify(value)}): ${what}.`, { kind: 'usage' });
  if (option.isBoolean() || option.negate) {
    if (typeof value !== 'boolean') throw wrong('give true or false');
    return value;
  }
  const texts = (Array.isArray(value) ? value : [value]).map(each => {
    if (typeof each !== 'string' && typeof each !== 'number') throw wrong('give a text or a number');
    return String(each);
  });
  try {
    const owners = ownersOf(option);
    if (owners?.read && texts.length === 1) return owners.read(texts[0]);
    if (!option.parseArg) return texts.length === 1 ? texts[0] : texts;
    let parsed: unknown;
    // A flag that may be repeated gathers; one that takes a list gets it as it would stand on the command line.
    if (Array.isArray(value) && option.parseArg.length < 2) parsed = option.parseArg(texts.join(','), undefined);
    else for (const text of texts) parsed = option.parseArg(text, parsed);
    return parsed;
  } catch (error) {
    if (error instanceof InvalidArgumentError)
      throw wrong(`${error.message}${ownersOf(option) ? ` (an option of ${ownersOf(option)!.text()})` : ''}`);
    throw error;
  }
}

/**
 * Sets the options that the command line did not give.
 * @throws NarrowsError for a key that is no flag of the command, or a value that the flag would refuse
 */
export function applyConfig(command: Command, config: Readonly<Record<string, unknown>>, file: string): void {
  for (const [name, value] of Object.entries(config)) {
    const key = camel(name);
    const owner = [command, ...ancestors(command)].find(c => c.options.some(o => o.attributeName() === key));
    const option = owner?.options.find(o => o.attributeName() === key);
    if (!owner || !option || key === 'config')
      throw new NarrowsError(`${file}: "${name}" is no flag of ${command.name()}; see narrows ${path(command)} --help.`, { kind: 'usage' });
    if (owner.getOptionValueSource(key) === 'cli') continue;
    owner.setOptionValueWithSource(key, optionValue(option, value, name, file), 'config');
  }
}

function ancestors(command: Command): Command[] {
  const list: Command[] = [];
  for (let c = command.parent; c; c = c.parent) list.push(c);
  return list;
}

/** `train clip` for the command that is called so. */
export const path = (command: Command): string => [...ancestors(command).reverse().slice(1), command].map(c => c.name()).join(' ');

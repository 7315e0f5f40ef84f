import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { nearestNames } from '../../system/nearest-names.ts';
import { memory, nameAmong, parts } from '../flags.ts';
import { addChosenFlags, chosenValues, describeOptions } from '../schema-flags.ts';
import { formatTable } from '../table.ts';

const entries = [
  {
    name: 'one',
    schema: z.strictObject({
      steps: z.number().default(10).describe('how many'),
      layer: z.number().optional(),
      fast: z.boolean().default(true),
    }),
  },
  {
    name: 'two',
    schema: z.strictObject({ steps: z.number().default(50), layer: z.enum(['last', 'all']).default('last').describe('which') }),
  },
];
function parse(...args: string[]) {
  const command = new Command('test').exitOverride().configureOutput({ writeErr: () => {}, writeOut: () => {} });
  command.option('--method <name>', '', 'one');
  addChosenFlags(command, entries, () => entries.find(e => e.name === command.opts().method));
  command.parse(args, { from: 'user' });
  const entry = entries.find(e => e.name === command.opts().method)!;
  let help = '';
  command.configureOutput({ writeOut: text => (help += text) }).outputHelp();
  return { values: chosenValues(entry.schema, command.opts()), help };
}

describe('flags of the chosen entry', () => {
  it('are read by its schema, though others use the name in another way', () => {
    expect(parse('--layer', '3', '--steps', '5', '--no-fast').values).toEqual({ layer: 3, steps: 5, fast: false });
    expect(parse('--method', 'two', '--layer', 'all').values).toEqual({ layer: 'all' });
    expect(() => parse('--layer', 'all')).toThrow('--layer cannot be "all": give a number.');
    expect(() => parse('--method', 'two', '--layer', '3')).toThrow('--layer cannot be "3": give one of last, all.');
    expect(() => parse('--steps', 'many')).toThrow('--steps cannot be "many": give a number.');
  });

  it('are the only ones in the help', () => {
    const { help } = parse('--method', 'two');
    expect(help).toContain('Options of two:');
    expect(help).toContain('--layer <last|all>');
    expect(help).not.toContain('--fast');
    expect(parse().help).toContain('--fast');
  });

  it('are described for tables', () => {
    expect(describeOptions(entries[1].schema)).toEqual([
      { name: 'steps', flag: '--steps <n>', default: '50', help: '' },
      { name: 'layer', flag: '--layer <last|all>', default: 'last', help: 'which' },
    ]);
  });
});

describe('names', () => {
  const names = ['grad-cam', 'grad-eclip', 'rise', 'm2ib'];
  it('that are near are suggested', () => {
    expect(nearestNames('gradcam', names)[0]).toBe('grad-cam');
    expect(nearestNames('m2bi', names)).toEqual(['m2ib']);
    expect(nearestNames('entirely-else', names)).toEqual([]);
    const check = nameAmong(() => names, 'method');
    expect(check('rise')).toBe('rise');
    expect(() => check('ries')).toThrow('there is no such method; did you mean rise?');
    expect(() => check('entirely-else')).toThrow('give one of grad-cam, grad-eclip, rise, m2ib');
  });
});

describe('values of flags', () => {
  it('may be sizes and texts between semicolons', () => {
    expect([memory('256MB'), memory('1.5 GiB'), memory('2097152')]).toEqual([256 * 2 ** 20, 1.5 * 2 ** 30, 2 ** 21]);
    for (const bad of ['5', 'lots', '-1GB', '1TBB']) expect(() => memory(bad)).toThrow(/at least 1MB/);
    expect(parts('a cat, asleep; a dog;')).toEqual(['a cat, asleep', 'a dog']);
    expect(() => parts(' ; ')).toThrow(/semicolons/);
  });
});

describe('formatTable', () => {
  it('aligns columns and wraps the last one', () => {
    const text = formatTable(
      ['a', 'b'],
      [
        ['long name', 'one two three four five six seven'],
        ['x', 'y'],
      ],
      36,
    );
    expect(text.split('\n')).toEqual(['a          b', 'long name  one two three four five', '           six seven', 'x          y']);
  });
});

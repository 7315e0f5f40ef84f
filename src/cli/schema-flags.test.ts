import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { applyConfig } from './config-file.ts';
import { collect, integer, list, number } from './flags.ts';
import { addSchemaFlags, schemaValues } from './schema-flags.ts';

const schema = z.strictObject({
  layer: z
    .union([z.literal('auto'), z.number().int()])
    .default('auto')
    .describe('which layer'),
  learning_rate: z.number().positive().default(1),
  antithetic: z.boolean().default(true),
  ignoreBad: z.boolean().default(false),
  mode: z.enum(['none', 'sample']).default('none'),
  longChoice: z.enum(['the-first-choice', 'the-second-choice']).optional(),
  report_to: z.array(z.enum(['jsonl', 'tensorboard'])).default([]),
  stages: z.array(z.object({ from: z.number() })).default([]),
});

function command(): Command {
  const made = new Command('test').exitOverride().configureOutput({ writeErr: () => {} });
  addSchemaFlags(made, schema, 'Options:');
  return made;
}
const parse = (...args: string[]) => schemaValues(schema, command().parse(args, { from: 'user' }).opts());

describe('flags from a schema', () => {
  it('leaves unset keys to the schema', () => {
    expect(parse()).toEqual({});
  });

  it('gives every type its raw value under its own name', () => {
    expect(parse('--layer', '3', '--learning-rate', '1e-3', '--no-antithetic', '--ignore-bad', '--mode', 'sample')).toEqual({
      layer: 3,
      learning_rate: 0.001,
      antithetic: false,
      ignoreBad: true,
      mode: 'sample',
    });
    expect(parse('--layer', 'auto', '--antithetic', '--report-to', 'jsonl,tensorboard', '--stages', '[{"from": 2}]')).toEqual({
      layer: 'auto',
      antithetic: true,
      report_to: ['jsonl', 'tensorboard'],
      stages: [{ from: 2 }],
    });
  });

  it('refuses what the type cannot be', () => {
    expect(() => parse('--layer', 'top')).toThrow(/give a number or auto/);
    expect(() => parse('--learning-rate', 'fast')).toThrow(/give a number/);
    expect(() => parse('--mode', 'all')).toThrow(/give one of none, sample/);
    expect(() => parse('--stages', '[')).toThrow(/give JSON/);
  });

  it('shows ranges, defaults and long choices in the help', () => {
    const help = command().helpInformation();
    expect(help).toContain('--layer <auto|n>');
    expect(help.replace(/\s+/g, ' ')).toContain('which layer (default: auto)');
    expect(help.replace(/\s+/g, ' ')).toContain('(one of the-first-choice, the-second-choice)');
  });
});

describe('--config', () => {
  const apply = (config: Record<string, unknown>, ...args: string[]) => {
    const made = command().option('--output <path>', 'file', collect).option('--names <list>', 'names', list);
    made.parse(args, { from: 'user' });
    applyConfig(made, config, 'c.json');
    return made.opts();
  };

  it('sets what the command line left unset, in camel or snake case', () => {
    expect(apply({ learningRate: 0.5, layer: 2, antithetic: false, output: ['a', 'b'], names: ['x', 'y'] }, '--layer', '4')).toEqual({
      learningRate: 0.5,
      layer: 4,
      antithetic: false,
      output: ['a', 'b'],
      names: ['x', 'y'],
    });
    expect(apply({ learning_rate: 2 })).toMatchObject({ learningRate: 2 });
    expect(apply({ antithetic: false }, '--antithetic')).toMatchObject({ antithetic: true });
  });

  it('refuses unknown keys and values that a flag would refuse', () => {
    expect(() => apply({ learning: 1 })).toThrow('c.json: "learning" is no flag of test');
    expect(() => apply({ antithetic: 'no' })).toThrow('"antithetic" is wrong ("no"): give true or false');
    expect(() => apply({ learningRate: null })).toThrow('"learningRate" is wrong (null): give a text or a number');
    expect(() => apply({ mode: 'all' })).toThrow('"mode" is wrong ("all"): give one of none, sample');
  });
});

describe('numbers', () => {
  it('have ranges that the error for a wrong value names', () => {
    expect(number(0, 1)('0.5')).toBe(0.5);
    expect(integer(1)('12')).toBe(12);
    for (const text of ['', 'x', '1.5', '0', '1e3', 'NaN'])
      expect(() => integer(1)(text), text).toThrow('give a whole number of at least 1');
    for (const text of ['', 'x', '2', '-1', 'Infinity', '0x1']) expect(() => number(0, 1)(text), text).toThrow('give a number from 0 to 1');
  });
});

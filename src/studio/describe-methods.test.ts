import { describe, expect, it } from 'vitest';
import { methods } from '../attribution/registry.ts';
import { describeMethod } from './describe-methods.ts';

const optionsOf = (name: string) => {
  const { options } = describeMethod(methods.find(m => m.name === name)!);
  return Object.fromEntries(options.map(o => [o.name, o]));
};

describe('describeMethod', () => {
  it('gives every option of every method a control, with the help and the default of its schema', () => {
    expect(methods.length).toBeGreaterThan(30);
    for (const method of methods) {
      const { options } = describeMethod(method);
      expect(options.map(o => o.name)).toEqual(Object.keys(method.schema.shape));
      for (const option of options) expect(option.help, `${method.name} ${option.name}`).not.toBe('');
      const defaults = Object.fromEntries(options.flatMap(o => ('default' in o ? [[o.name, o.default]] : [])));
      // What the page sends untouched is what the schema fills in.
      expect(method.schema.parse(defaults)).toEqual(method.schema.parse({}));
    }
  });

  it('knows bounds, words in place of numbers, choices and what is unset', () => {
    const { layer, beta, steps, learningRate, normalisation, antithetic, compat } = optionsOf('m2ib');
    expect(layer).toMatchObject({ kind: 'integer', words: ['auto'], default: 'auto' });
    expect(layer).not.toHaveProperty('least');
    expect(beta).toMatchObject({ kind: 'number', least: 0, default: 1 });
    expect(beta).not.toHaveProperty('above');
    expect(steps).toMatchObject({ kind: 'integer', least: 0, above: true, default: 6 });
    expect(steps).not.toHaveProperty('most');
    expect(learningRate).toMatchObject({ kind: 'number', least: 0, above: true });
    expect(normalisation).toMatchObject({ kind: 'choice', choices: ['none', 'sample', 'dataset'], default: 'sample' });
    expect(antithetic).toMatchObject({ kind: 'boolean', default: true });
    expect(compat).toMatchObject({ kind: 'choice', choices: ['m2ib-official'] });
    expect(compat).not.toHaveProperty('default');
    expect(optionsOf('smoothgrad').nSamples).toMatchObject({ most: 100_000 });
  });
});

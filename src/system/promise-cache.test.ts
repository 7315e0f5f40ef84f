import { describe, expect, it } from 'vitest';
import { PromiseCache } from './promise-cache.ts';

describe('PromiseCache', () => {
  it('makes a value once, for callers at the same time too', async () => {
    const cache = new PromiseCache<object>();
    let made = 0;
    const make = async (): Promise<object> => {
      made++;
      return {};
    };
    const [a, b] = await Promise.all([cache.get('x', make), cache.get('x', make)]);
    expect(b).toBe(a);
    expect(await cache.get('x', make)).toBe(a);
    expect(await cache.get('y', make)).not.toBe(a);
    expect(made).toBe(2);
  });

  it('gives a failure to those that wait, and tries again for the next', async () => {
    const cache = new PromiseCache<number>();
    let tries = 0;
    const make = async (): Promise<number> => {
      tries++;
      if (tries === 1) throw new Error('no room');
      return 7;
    };
    const both = await Promise.allSettled([cache.get('x', make), cache.get('x', make)]);
    expect(both.map(r => r.status)).toEqual(['rejected', 'rejected']);
    expect(tries).toBe(1);
    expect(await cache.get('x', make)).toBe(7);
  });

  it('takes what is thrown before there is a promise as a failure', async () => {
    const cache = new PromiseCache<number>();
    const broken = (): Promise<number> => {
      throw new Error('cannot be traced');
    };
    await expect(cache.get('x', broken)).rejects.toThrow('cannot be traced');
    expect(await cache.get('x', async () => 1)).toBe(1);
  });

  it('gives its values back when cleared, without failures, and those being made', async () => {
    const cache = new PromiseCache<number>();
    void cache.get('late', () => new Promise(resolve => setTimeout(resolve, 5, 1)));
    cache.get('bad', () => Promise.reject(new Error('x'))).catch(() => {});
    void cache.get('there', async () => 2);
    expect((await cache.clear()).sort()).toEqual([1, 2]);
    expect(await cache.get('there', async () => 3)).toBe(3);
  });

  it('a failure of a value that was cleared meanwhile does not remove its successor', async () => {
    const cache = new PromiseCache<number>();
    let fail!: (error: Error) => void;
    const first = cache.get(
      'x',
      () =>
        new Promise<number>((_, reject) => {
          fail = reject;
        }),
    );
    void cache.clear();
    void cache.get('x', async () => 2);
    fail(new Error('late'));
    await expect(first).rejects.toThrow('late');
    expect(await cache.get('x', async () => 3)).toBe(2);
  });
});

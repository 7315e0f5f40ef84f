import { describe, expect, it } from 'vitest';
import { assembleModule, i32, repeatWhile, WasmFunction } from './wasm.ts';

function instantiate(...functions: ReturnType<WasmFunction['assemble']>[]) {
  const module = new WebAssembly.Module(assembleModule(2, functions));
  return new WebAssembly.Instance(module).exports as unknown as { memory: WebAssembly.Memory } & Record<string, (...x: number[]) => number>;
}

describe('the assembler', () => {
  it.each([0, 1, -1, 63, 64, -64, -65, 127, 128, 8191, 8192, -8193, 2 ** 31 - 1, -(2 ** 31), 0xd2511f53])(
    'writes the constant %d',
    value => {
      expect(instantiate(new WasmFunction('f', 0, true).assemble(i32.constant(value))).f()).toBe(value | 0);
    },
  );

  it('loops, none or many times, with locals', () => {
    const f = new WasmFunction('sum', 1, true);
    const [n] = f.parameters;
    const total = f.local('i32');
    const body = [total.set(i32.add(total.get(), n.get())), n.set(i32.sub(n.get(), i32.constant(1)))];
    const { sum } = instantiate(f.assemble([repeatWhile(n.get(), body), total.get()]));
    expect([sum(0), sum(1), sum(100)]).toEqual([0, 1, 5050]);
  });

  it('exports several functions and a memory, which constant offsets of more than one byte reach', () => {
    const put = new WasmFunction('put', 2, false);
    const [at, value] = put.parameters;
    const take = new WasmFunction('take', 1, true);
    const wasm = instantiate(
      put.assemble(i32.store(at.get(), value.get(), 70_000)),
      take.assemble(i32.load(take.parameters[0].get(), 70_000)),
    );
    wasm.put(8, 0x01020304);
    expect(wasm.memory.buffer.byteLength).toBe(2 * 65_536);
    expect([...new Uint8Array(wasm.memory.buffer, 70_008, 4)]).toEqual([4, 3, 2, 1]);
    expect(wasm.take(8)).toBe(0x01020304);
  });
});

/**
 * @file How often V8 walks the heap. It counts the memory of typed arrays as growth of the heap, so that a training step, whose gradients are new
 * arrays of the model's size, has it walk all objects several times a second on threads that the mathematics needs.
 */
import { setFlagsFromString } from 'node:v8';

/** Growth of the heap, in percent of what is alive, before it is walked again. */
const GROWTH = 400;

let users = 0;

const set = (percent: number): void => setFlagsFromString(`--heap-growing-percent=${percent}`);

/** Lets the heap of this process grow to five times what is alive before it is walked; V8's own rule holds again when the last user is disposed of. */
export function roomyHeap(): Disposable {
  if (users++ === 0) set(GROWTH);
  let open = true;
  return {
    [Symbol.dispose]() {
      if (open && --users === 0) set(0);
      open = false;
    },
  };
}

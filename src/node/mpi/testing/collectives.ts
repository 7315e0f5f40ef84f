/** @file A rank of the test of all functions: prints what each gave, as one line of JSON. */
import { createHash } from 'node:crypto';
import { openRanks } from '../open-ranks.ts';
import { orderedAllReduce } from '../ordered-sum.ts';
import { awkward } from './awkward.ts';

const ranks = await openRanks();
if (!ranks) {
  console.log(JSON.stringify({ alone: true }));
  process.exit(0);
}
const { rank, size } = ranks;
const hash = (data: ArrayBufferView): string =>
  createHash('sha256')
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest('hex');

await ranks.barrier();
const told = new Float32Array(3);
if (rank === size - 1) told.set([1, 2, 3]);
await ranks.broadcast(told, size - 1);
const gathered = await ranks.allGather(new Uint8Array(rank).fill(rank));
const exchanged = await ranks.exchange(Array.from({ length: size }, (_, to) => Uint8Array.of(rank, to)));
const sums = awkward(rank, 100_003);
await ranks.allReduce(sums);
const doubles = Float64Array.of(rank + 1, 0.1);
await ranks.allReduce(doubles);
const last = awkward(rank, 17);
await orderedAllReduce(ranks, last, parts => parts.at(-1)!);
let ticks = 0;
const timer = setInterval(() => ticks++, 5);
// Rank 0 comes late: the others wait, and their event loops go on.
if (rank === 0) await new Promise(resolve => setTimeout(resolve, 200));
await ranks.barrier();
clearInterval(timer);
const received: number[][] = [];
if (rank === 0) {
  for (let i = 1; i < size; i++) {
    const { from, bytes } = await ranks.receive();
    received.push([from, bytes.length, bytes[bytes.length - 1]]);
  }
} else await ranks.send(0, new Uint8Array(300_000 + rank).fill(rank));
const stopped = new AbortController();
setTimeout(() => stopped.abort(new Error('enough')), 20);
const nothing = await ranks.receive(stopped.signal).catch(error => (error as Error).message);
console.log(
  JSON.stringify({
    ...{ rank, size, told: [...told], ticks, received: received.sort(), nothing },
    gathered: gathered.map(bytes => [...bytes]),
    exchanged: exchanged.map(bytes => [...bytes]),
    ...{ sums: hash(sums), doubles: [...doubles], last: hash(last) },
  }),
);
await ranks.close();
// Nor does a call that wants the others bring it down: it is refused.
const refused = [() => ranks.barrier(), () => ranks.allReduce(new Float32Array(3)), () => ranks.finish(new Uint8Array(1), 10)];
for (const call of refused)
  if (!/have ended/.test(await call().then(String, error => (error as Error).message))) throw new Error('a call after the end was taken');
// A worker's last word may come behind the end: it goes nowhere, and does not bring the job down.
await ranks.send((rank + 1) % size, new Uint8Array(1));
await ranks.close();

/**
 * @file Loaded before the program (`--import`): faults of a disk or a clock that cannot be had without rights. NARROWS_FAULT says which:
 * `quota:N` every write to a file from the N-th on fails with EDQUOT; `clock:N` from the N-th look at the clock on, it is a day earlier.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const [kind, from] = (process.env.NARROWS_FAULT ?? '').split(':');
const first = Number(from);

if (kind === 'quota') {
  let writes = 0;
  const fail = () => Object.assign(new Error('EDQUOT: disk quota exceeded, write'), { code: 'EDQUOT', errno: -122, syscall: 'write' });
  const probe = await fs.promises.open(process.execPath, 'r');
  const prototype = Object.getPrototypeOf(probe);
  await probe.close();
  for (const name of ['write', 'writev', 'writeFile', 'appendFile']) {
    const real = prototype[name];
    prototype[name] = function (...args) {
      return ++writes >= first ? Promise.reject(fail()) : real.apply(this, args);
    };
  }
  for (const name of ['writeFile', 'appendFile']) {
    const real = fs.promises[name];
    fs.promises[name] = (...args) => (++writes >= first ? Promise.reject(fail()) : real(...args));
  }
  for (const name of ['writeSync', 'writeFileSync', 'appendFileSync']) {
    const real = fs[name];
    fs[name] = (...args) => {
      // Standard streams are no files of a disk.
      if (typeof args[0] === 'number' && args[0] < 3) return real(...args);
      if (++writes >= first) throw fail();
      return real(...args);
    };
  }
  syncBuiltinESMExports();
}

if (kind === 'clock') {
  const Real = Date;
  let looks = 0;
  const shift = () => (++looks >= first ? 86_400_000 : 0);
  globalThis.Date = class extends Real {
    constructor(...args) {
      if (args.length > 0) super(...args);
      else super(Real.now() - shift());
    }
    static now() {
      return Real.now() - shift();
    }
  };
}

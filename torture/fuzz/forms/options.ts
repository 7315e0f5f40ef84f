/** @file The words of a call, as a JSON list: values replaced by odd ones, words removed, doubled, moved, flags of any command put in. */
import { choose, type Form, place } from '../mutation.ts';

const ODD: readonly string[] = [
  ...['', ' ', '-1', '0', '1', '2', '-0', '1e3', '1e999', '0x10', '٣', '1.5', '.', '..', '/', '/dev/null', '/dev/zero', 'NaN', 'Infinity'],
  ...[
    '--',
    '-',
    '-x',
    '--json',
    '--help',
    '--config',
    '--seed',
    'null',
    'undefined',
    '__proto__',
    'constructor',
    'true',
    'auto',
    'all',
    'both',
  ],
  ...['a,b', ',', ',,', 'm2ib,,', '9007199254740993', '1,2', '0,0', 'x'.repeat(5000), 'é🙂', '\u202e', '{"a":1}', '[', '$(id)', '%s', '*'],
  ...[
    '1-',
    '-1-2',
    '0.5GB',
    '1KB',
    '99999999TB',
    '0MB',
    '=',
    '--x=y',
    '--steps=',
    '--steps=1',
    'voi:99',
    '5,1',
    'file:///etc/passwd',
    '\n',
  ],
];

/** @param flags flags that may be put in, with their dashes */
export const options = (flags: readonly string[]): Form => ({
  apply(content, mutation) {
    const words = JSON.parse(content.toString('utf8')) as string[];
    // The first word stays: it is the command.
    const at = 1 + place(mutation, Math.max(1, words.length - 1));
    const odd = choose(mutation, ODD);
    switch (mutation.kind % 6) {
      case 0:
        words.splice(at, 1);
        break;
      case 1:
        words.splice(at, 0, words[Math.min(at, words.length - 1)]);
        break;
      case 2:
        words.splice(at, 0, odd);
        break;
      case 3:
        words.push(choose(mutation, flags), ...(mutation.size % 4 ? [ODD[mutation.size % ODD.length]] : []));
        break;
      default:
        words[at] = odd;
    }
    return Buffer.from(JSON.stringify(words));
  },
});

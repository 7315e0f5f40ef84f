/** @file Texts with a meaning of their own: tables of columns, templates. Words of the form are put in, cells and lines moved, doubled and removed. */

import { choose, type Form, place } from '../mutation.ts';
import { bytes } from './bytes.ts';

/** A text whose special words are put where they do not belong. @param words what the form's grammar is made of */
export const textForm = (words: readonly string[]): Form => ({
  apply(content, mutation, others) {
    const text = content.toString('utf8');
    const at = place(mutation, text.length + 1);
    const word = choose(mutation, words);
    const lines = text.split('\n');
    const line = mutation.size % lines.length;
    switch (mutation.kind % 7) {
      case 0:
        return Buffer.from(text.slice(0, at) + word + text.slice(at));
      case 1:
        return Buffer.from(text.slice(0, at) + word + text.slice(at + word.length));
      case 2:
        lines.splice(line, 1);
        return Buffer.from(lines.join('\n'));
      case 3:
        lines.splice(line, 0, lines[place(mutation, lines.length)]);
        return Buffer.from(lines.join('\n'));
      case 4: {
        // One of the form's own words goes, or stands for another.
        const known = words.filter(one => one && text.includes(one));
        if (known.length === 0) return Buffer.from(text.slice(0, at));
        return Buffer.from(text.replace(known[mutation.size % known.length], () => (mutation.at % 2 ? word : '')));
      }
      case 5:
        return Buffer.from(text.slice(0, at) + word.repeat(1 + (mutation.size % 300)) + text.slice(at));
      default:
        return bytes.apply(content, { ...mutation, kind: Math.floor(mutation.kind / 7) }, others);
    }
  },
});

/** Columns between commas or tabs. */
export const table = textForm([
  ...[',', '\t', ';', '"', '""', "'", '\r', '\r\n', '\n', '\u0000', '\ufeff', '=1+1', '=cmd()', '-1', 'NaN', '1e999', 'é', '\ud83d\ude42'],
  ...['\u202e', '../../../etc/passwd', '/dev/zero', 'http://127.0.0.1:1/x.png', 'data:image/png;base64,AAAA', 'x'.repeat(5000), '{}', '[1'],
]);

/** Jinja. */
export const template = textForm([
  ...[
    '{{',
    '}}',
    '{%',
    '%}',
    '{%-',
    '-%}',
    '{% endfor %}',
    '{% endif %}',
    '{% if true %}',
    '{% for m in messages %}',
    '{{ messages }}',
    '{#',
  ],
  ...["{{ raise_exception('no') }}", '{{ messages[0] }}', '{{ x.y.z }}', "{{ 'a' * 1000000000 }}", '{{ 1/0 }}', '{{ range(1000000000) }}'],
  ...[
    '{% for i in range(100000000) %}a{% endfor %}',
    '{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}',
    '{{ [].constructor }}',
    '|',
    '|tojson',
  ],
  ...[
    '{% set x = x ~ x %}',
    '<image>',
    '</s>',
    '{{ none.x }}',
    '{{ messages | length }}',
    '{% break %}',
    '{% include "x" %}',
    "{{ '",
    '"}}',
  ],
]);

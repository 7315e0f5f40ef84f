/**
 * @file Which keys lie next to which on an English keyboard. After nlpaug's map (MIT, Copyright (c) 2019 Edward Ma; see NOTICE), whose
 * neighbour " t" of u, a slip for y, is set right.
 */

/** For each key, its neighbours: one character each. */
const NEIGHBOURS: Readonly<Record<string, string>> = {
  '1': '!2@qw',
  '2': '@1!3#qwe',
  '3': '#2@4$we',
  '4': '$3#5%er',
  '5': '%4$6^rty',
  '6': '^5%7&tyu',
  '7': '&6^8*yui',
  '8': '*7&9(uio',
  '9': '(8*0)iop',
  '!': '@q',
  '@': '!#qw',
  '#': '@$we',
  $: '#%er',
  '%': '$',
  q: '1!2@was',
  w: '1!2@3#qeasd',
  e: '2@3#4$wrsdf',
  r: '3#4$5%etdfg',
  t: '4$5%6^ryfgh',
  y: '5%6^7&tughj',
  u: '6^7&8*yihjk',
  i: '7&8*9(uojkl',
  o: '8*9(0)ipkl',
  p: '9(0)ol',
  a: 'qwaszx',
  s: 'qweadzxc',
  d: 'wersfxcv',
  f: 'ertdgcvb',
  g: 'rtyfhvbn',
  h: 'tyugjbnm',
  j: 'yuihknm,<',
  k: 'uiojlm,<.>',
  l: 'iopk;:,<.>/?',
  z: 'asx',
  x: 'asdzc',
  c: 'sdfxv',
  v: 'dfgcb',
  b: 'fghvn',
  n: 'ghjbm',
  m: 'hjkn,<',
};

/** What may be typed instead of a character: its neighbours, small and capital, without itself. Characters not listed never change. */
export const TYPOS: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries(NEIGHBOURS).flatMap(([key, neighbours]) => {
    const both = [...new Set([...neighbours, ...neighbours.toUpperCase()])].sort();
    return [...new Set([key, key.toUpperCase()])].map(k => [k, both.filter(c => c !== k)] as const);
  }),
);

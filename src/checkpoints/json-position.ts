/** @file Where a text stops being JSON. Node's own message often lacks the position. */

const STRING = /"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const ATOM = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|(?:true|false|null)(?!\w)/y;
const SPACE = /[ \t\r\n]*/y;

/** Index of the first character at which `text` is not JSON any more; its length when it ends too early; undefined when it is JSON. */
export function jsonErrorIndex(text: string): number | undefined {
  let at = 0;
  const take = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    if (!pattern.test(text)) return false;
    at = pattern.lastIndex;
    return true;
  };
  const closers: string[] = [];
  // What may stand next: a value, a key (or a closer right after an opener), or whatever follows a value.
  let state: 'value' | 'first' | 'key' | 'after' = 'value';
  for (;;) {
    take(SPACE);
    const c = text[at];
    const closer = closers.at(-1);
    if (state === 'after') {
      if (!closer) return at === text.length ? undefined : at;
      if (c === closer) closers.pop();
      else if (c === ',') state = closer === '}' ? 'key' : 'value';
      else return at;
      at++;
    } else if (state === 'first' && c === closer) {
      closers.pop();
      state = 'after';
      at++;
    } else if (state === 'key' || (state === 'first' && closer === '}')) {
      if (!take(STRING)) return at;
      take(SPACE);
      if (text[at] !== ':') return at;
      at++;
      state = 'value';
    } else if (c === '{' || c === '[') {
      closers.push(c === '{' ? '}' : ']');
      state = 'first';
      at++;
    } else if (take(STRING) || take(ATOM)) state = 'after';
    else return at;
  }
}

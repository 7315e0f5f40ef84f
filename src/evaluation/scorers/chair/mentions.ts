/** @file Things that a description names. */

/** Words for each thing, its name among them: `{person: ['person', 'man', 'woman']}`. */
export type Synonyms = Readonly<Record<string, readonly string[]>>;

const plain = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();

/** Plurals of the last word as people write them; irregular ones are words of their own in lists of synonyms. */
function forms(name: string): string[] {
  const y = /[^aeiou]y$/.test(name) ? [`${name.slice(0, -1)}ies`] : [];
  const f = /(?:f|fe)$/.test(name) ? [name.replace(/fe?$/, 'ves')] : [];
  return [name, `${name}s`, `${name}es`, ...y, ...f];
}

/** Finds mentions: longer names go first, so that a hot dog is no dog. */
export class Mentions {
  private readonly thingOf = new Map<string, string>();
  private readonly longest: number;

  constructor(synonyms: Synonyms) {
    for (const [thing, names] of Object.entries(synonyms))
      for (const name of [thing, ...names])
        for (const form of forms(plain(name))) if (form !== '' && !this.thingOf.has(form)) this.thingOf.set(form, thing);
    this.longest = Math.max(1, ...[...this.thingOf.keys()].map(form => form.split(' ').length));
  }

  /** The things of a text in the order of their mentions; one that is named twice stands there twice. */
  in(text: string): string[] {
    return this.read(text).things;
  }

  /** The things of a text, and the words that name none. */
  read(text: string): { readonly things: string[]; readonly rest: string[] } {
    const words = plain(text).split(' ');
    const things: string[] = [];
    const rest: string[] = [];
    for (let at = 0; at < words.length; ) {
      let length = Math.min(this.longest, words.length - at);
      while (length > 0 && !this.thingOf.has(words.slice(at, at + length).join(' '))) length--;
      if (length > 0) things.push(this.thingOf.get(words.slice(at, at + length).join(' ')) as string);
      else rest.push(words[at]);
      at += Math.max(length, 1);
    }
    return { things, rest };
  }
}

/** @file Synonyms of English words as EDA takes them from WordNet through NLTK: all senses, all parts of speech, base forms found by rule. */

/** Parts of speech in NLTK's order. */
const PARTS = ['noun', 'verb', 'adj', 'adv'] as const;
type Part = (typeof PARTS)[number];

/** Content of `wordnet/synonyms.json.gz`; `scripts/wordnet.ts` writes it. */
export interface SynonymFile {
  readonly source: string;
  readonly license: string;
  /** Words and phrases in small letters, without marks. */
  readonly phrases: readonly string[];
  /** Places in `phrases`. */
  readonly synsets: readonly (readonly number[])[];
  /** Part of speech, lemma, places in `synsets`. */
  readonly lemmas: Record<string, Record<string, readonly number[]>>;
  /** Part of speech, irregular form, its base forms between spaces. */
  readonly exceptions: Record<string, Record<string, string>>;
}

/** The synonyms of a word in small letters, without the word itself, each once; none for a word that is not known. */
export type Synonyms = (word: string) => readonly string[];

/** Endings and what stands instead of them in a base form: WordNet's rules of detachment. */
const ENDINGS: Record<Part, readonly (readonly [string, string])[]> = {
  noun: [
    ['s', ''],
    ['ses', 's'],
    ['ves', 'f'],
    ['xes', 'x'],
    ['zes', 'z'],
    ['ches', 'ch'],
    ['shes', 'sh'],
    ['men', 'man'],
    ['ies', 'y'],
  ],
  verb: [
    ['s', ''],
    ['ies', 'y'],
    ['es', 'e'],
    ['es', ''],
    ['ed', 'e'],
    ['ed', ''],
    ['ing', 'e'],
    ['ing', ''],
  ],
  adj: [
    ['er', ''],
    ['est', ''],
    ['er', 'e'],
    ['est', 'e'],
  ],
  adv: [],
};

/** Base forms that are lemmas of a part of speech: the irregular ones, else the word and what one ending taken off gives, else more of them. */
function baseForms(word: string, part: Part, { lemmas, exceptions }: SynonymFile): string[] {
  const known = (forms: readonly string[]): string[] => [...new Set(forms)].filter(form => Object.hasOwn(lemmas[part], form));
  const shorter = (forms: readonly string[]): string[] =>
    forms.flatMap(form =>
      ENDINGS[part].flatMap(([from, to]) => (form.endsWith(from) ? [form.slice(0, form.length - from.length) + to] : [])),
    );
  if (Object.hasOwn(exceptions[part], word)) return known([word, ...exceptions[part][word].split(' ')]);
  let forms = shorter([word]);
  let found = known([word, ...forms]);
  while (found.length === 0 && forms.length > 0) {
    forms = shorter(forms);
    found = known(forms);
  }
  return found;
}

/** Looks words up in a table. */
export const synonymsOf =
  (file: SynonymFile): Synonyms =>
  word => {
    const found = new Set<string>();
    for (const part of PARTS)
      for (const form of baseForms(word, part, file)) {
        // All of a lemma's synsets hold it; those of no other word are not in the table.
        found.add(form.replaceAll(/[_-]/g, ' ').replaceAll(/[^a-z ]/g, ''));
        for (const synset of file.lemmas[part][form]) for (const phrase of file.synsets[synset]) found.add(file.phrases[phrase]);
      }
    found.delete(word);
    return [...found];
  };

/** @file The page's state in the address's fragment, which is never sent to a server: `#/attribute?model=…&text=…`. */

/** A place of the page with its parameters. */
export interface Place {
  /** `attribute`, `chat`, … */
  readonly view: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** The place that a fragment names; a bare `#` is the first view. Parameters that came twice: the last counts. */
export function readFragment(fragment: string): Place {
  const text = fragment.replace(/^#\/?/, '');
  const cut = text.indexOf('?');
  const view = cut < 0 ? text : text.slice(0, cut);
  const parameters = Object.fromEntries(new URLSearchParams(cut < 0 ? '' : text.slice(cut + 1)));
  return { view: /^[a-z]+$/.test(view) ? view : '', parameters };
}

/** The fragment of a place; empty parameters are left out, so that equal states have equal addresses. */
export function writeFragment({ view, parameters }: Place): string {
  const search = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== '')).toString();
  return `#/${view}${search === '' ? '' : `?${search}`}`;
}

/** JSON of an object, or undefined where the text is none: a link that was cut short must not break the page. */
export function readObject(text: string | undefined): Record<string, unknown> | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

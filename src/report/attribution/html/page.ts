/** @file The frame of a self-contained HTML page: one file that asks the network for nothing and runs nothing but its own script. */
import { base64 } from '../../../system/bytes.ts';
import { sha256Bytes } from '../../../system/sha256.ts';
import { escapeText } from '../svg.ts';

const hashOf = (text: string): string => `'sha256-${base64(sha256Bytes(text))}'`;

/** JSON that is safe inside a `<script>` element: no `<`, no line separators that old scripts would trip over. */
export const scriptJson = (value: unknown): string =>
  JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** Parts of a page. `body` is HTML; `title` is text; `data` goes to the script as the parsed JSON of `#data`. */
export interface PageParts {
  readonly title: string;
  readonly style: string;
  readonly body: string;
  readonly script: string;
  readonly data: unknown;
}

/** The page. Its policy admits this style, this script and `data:` images, nothing else, wherever the file is opened. */
export function page({ title, style, body, script, data }: PageParts): string {
  const policy = `default-src 'none'; img-src data:; style-src ${hashOf(style)}; script-src ${hashOf(script)}; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>${escapeText(title)}</title>
<style>${style}</style>
</head>
<body>
${body}
<script type="application/json" id="data">${scriptJson(data)}</script>
<script>${script}</script>
</body>
</html>
`;
}

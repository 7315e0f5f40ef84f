/** @file What stands in a file's place in the wild and in attacks: other kinds of files, other encodings, texts without end. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';

/** Puts something in a file's place; `false` where it is not for this file. */
export type Classic = (path: string) => boolean;

/** The text of a file; undefined for one that is no text. */
function textOf(path: string): string | undefined {
  const content = readFileSync(path);
  const text = content.toString('utf8');
  return content.includes(0) || text.includes('\ufffd') ? undefined : text;
}

const replaced =
  (make: (text: string) => string | Buffer): Classic =>
  path => {
    const text = textOf(path);
    if (text === undefined) return false;
    writeFileSync(path, make(text));
    return true;
  };

const other =
  (put: (path: string) => void): Classic =>
  path => {
    rmSync(path);
    put(path);
    return true;
  };

const DEEP = 100_000;

/** By name. */
export const CLASSICS: Readonly<Record<string, Classic>> = {
  missing: other(() => {}),
  'a folder': other(path => mkdirSync(path)),
  'a pipe that nobody writes': other(path => {
    // Where there are no pipes it is a folder once more.
    try {
      execFileSync('mkfifo', [path]);
    } catch {
      mkdirSync(path);
    }
  }),
  'a link to nowhere': other(path => symlinkSync(`${path}.gone`, path)),
  'a link to itself': other(path => symlinkSync(path, path)),
  'a device without end': other(path => symlinkSync('/dev/zero', path)),
  'zero bytes': path => {
    writeFileSync(path, '');
    return true;
  },
  'a megabyte of zeros': path => {
    writeFileSync(path, Buffer.alloc(2 ** 20));
    return true;
  },
  'a pointer of Git LFS': path => {
    writeFileSync(path, `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 12345\n`);
    return true;
  },
  'a page of HTML': path => {
    writeFileSync(path, '<!DOCTYPE html><html><body>Sign in</body></html>');
    return true;
  },
  'lists in lists without end': replaced(() => '['.repeat(DEEP) + ']'.repeat(DEEP)),
  'objects in objects without end': replaced(() => `${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)}`),
  'a deep value under a known key': replaced(text =>
    text.replace(/:\s*("[^"]*"|[\d.]+|true|false|null)/, `:${'['.repeat(DEEP)}${']'.repeat(DEEP)}`),
  ),
  'a prototype': replaced(text => text.replace(/\{/, '{"__proto__":{"x":1},"constructor":{"prototype":{"x":1}},')),
  'a mark of byte order': replaced(text => `\ufeff${text}`),
  'UTF-16': replaced(text => Buffer.from(`\ufeff${text}`, 'utf16le')),
  'line ends of Windows': replaced(text => text.replaceAll('\n', '\r\n')),
  'numbers without end': replaced(text => text.replaceAll(/(?<=[:\s,[])\d+(\.\d+)?(?=[,\s}\]])/g, '1e999')),
  'numbers below zero': replaced(text => text.replaceAll(/(?<=[:\s,[])(\d+(\.\d+)?)(?=[,\s}\]])/g, '-$1')),
  'numbers as texts': replaced(text => text.replaceAll(/(?<=[:\s,[])(\d+(\.\d+)?)(?=[,\s}\]])/g, '"$1"')),
  'texts as numbers': replaced(text => text.replaceAll(/:\s*"[^"]*"/g, ':7')),
  'everything null': replaced(text => text.replaceAll(/:\s*("[^"]*"|[\d.]+|true|false)/g, ':null')),
  'every list empty': replaced(text => text.replaceAll(/\[[^[\]]*\]/g, '[]')),
};

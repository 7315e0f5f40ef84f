/** @file Node's file system, as adaptors above this room use it. Files are written through `writeFileAtomic` (files.ts). */

export {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
  writeSync,
} from 'node:fs';
export {
  access,
  copyFile,
  type FileHandle,
  lstat,
  lutimes,
  mkdir,
  mkdtemp,
  open,
  readdir,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
export { readFile, readFileSync, readPieces, requireEnding, requireEndingSync } from './read-file.ts';

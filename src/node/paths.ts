/** @file Paths of files and modules, as this machine writes them. */
export { createRequire } from 'node:module';
export { basename, dirname, extname, isAbsolute, join, relative, resolve, sep } from 'node:path';
export { fileURLToPath, pathToFileURL } from 'node:url';

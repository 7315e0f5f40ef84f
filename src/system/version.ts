/** @file This package's version, a constant: nothing is read when the library is imported. `npm run build` and `npm version` write it. */

/** As package.json says. */
export const version = '0.1.0';
